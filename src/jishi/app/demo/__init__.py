"""What a new installation shows: people, an organisation, models, a dataset.

Hides: what the demo consists of (``content/demo.toml``) and how it gets in.
Shows: whether it is to be loaded, and loading it.  Everything goes through the same operations
as an upload would; nothing is written behind the hub's back.
"""

from __future__ import annotations

from jishi.app.demo.load import is_due, load_demo
from jishi.app.demo.plan import DEMO_MODEL

__all__ = ["DEMO_MODEL", "is_due", "load_demo"]
