"""The smart protocol: what ``git clone`` and ``git fetch`` are answered.

Hides: pkt-lines, views, children and their limits, which questions SQL answers.
Shows: ``Fetches``, one a node.  Pushing is not offered.
"""

from __future__ import annotations

from jishi.git.children import GitMissing, find_git
from jishi.git.smart.ahead import TooSlow
from jishi.git.smart.listing import is_listing
from jishi.git.smart.packets import BadRequest
from jishi.git.smart.service import VERSION_2, Fetches
from jishi.git.smart.slots import Slots, TooBusy

__all__ = [
    "VERSION_2",
    "BadRequest",
    "Fetches",
    "GitMissing",
    "Slots",
    "TooBusy",
    "TooSlow",
    "find_git",
    "is_listing",
]
