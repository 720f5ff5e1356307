"""Measurements beside peers, each in the same run on the same machine; see ``__main__``."""
