"""Passes, shards and replies, on both databases."""
