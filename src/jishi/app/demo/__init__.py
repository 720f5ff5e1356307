"""What a new installation shows: people, an organisation, models, a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from jishi.app.banner import Login
from jishi.hub import Node

DEMO_MODEL: Final = ""
"""A model of the demo, to be downloaded by way of trial."""


async def load_demo(_node: Node) -> Sequence[Login]:
    """Fill an empty platform and return who may log in."""
    return ()
