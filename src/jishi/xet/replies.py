"""Replies to "who has this chunk?": parts of xorbs, the chunks' names hidden by a weekly key.

Clients hash their chunks with the key and look them up.  Raw names never leave the server:
they prove possession.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from jishi.xet.files import Part
from jishi.xet.formats import ReplyTimes, hide_chunks, write_reply
from jishi.xet.memory import Memory

REPLY_BYTES_MAX: Final = 2 << 20
"""About 40 full xorbs, 2.6 GB of data."""
WEEK_SECONDS: Final = 7 * 86_400
"""Clients keep a table for each key, so a key serves a while."""


def make_reply(
    memory: Memory, parts: Iterable[Part], *, derive: Callable[[str], bytes], now: int
) -> bytes:
    """Return a reply that names the chunks of ``parts``, as many as fit.  Runs in a thread.

    It is for the client's run that asks: later runs ask again, so that no reply outlives
    the xorbs it names.

    Args:
        derive: Makes a key for a purpose.
        now: Microseconds UTC.

    Raises:
        ObjectMissing: If the store lost one of the xorbs.
    """
    seconds = now // 1_000_000
    key = derive(f"xet.reply/{seconds // WEEK_SECONDS}")
    blocks: list[bytes] = []
    left = REPLY_BYTES_MAX
    for part in parts:
        block = memory.block(part.xorb, key)
        if not part.is_whole:
            block = hide_chunks(block, part.runs)
        left -= len(block)
        if left < 0 and blocks:
            break
        blocks.append(block)
    times = ReplyTimes(created=seconds, expires=0)
    return write_reply(blocks, key=key, times=times)
