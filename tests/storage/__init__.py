"""Objects, spools, caches."""
