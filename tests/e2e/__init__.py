"""A browser walks through the running product."""
