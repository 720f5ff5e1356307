"""Repositories of models, datasets and Spaces.

Hides: how names, refs, files and large objects are stored and found.
Shows: operations on repositories, each checked against the acting party.
"""

from __future__ import annotations

from jishi.hub.node import Node

__all__ = ["Node"]
