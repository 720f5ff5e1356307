"""The chunk store, below users."""
