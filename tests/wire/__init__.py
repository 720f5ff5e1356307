"""Dialects and the edge."""
