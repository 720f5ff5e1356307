"""The history of the schema: one, for both databases, forward only.

Scripts are ``NNNN_<package>_<what>.py`` with ``up(op)``; each runs once, in order, in one
transaction.  A script that has run may never change: its sha256 is remembered.
"""

from __future__ import annotations

from jishi.migrations.runner import ScriptChanged, pending, upgrade

__all__ = ["ScriptChanged", "pending", "upgrade"]
