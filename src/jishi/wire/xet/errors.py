"""Refusals as clients of the store read them: by status alone.

401, 403 and the like end a transfer at once; 5xx and 429 are tried again five times.  So a
full disk must not look like a fault that passes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from jishi.core.errors import Refusal
from jishi.http import Context, Saying, header_text, reply, say

SAYINGS: Final[Mapping[str, Saying]] = {
    "hub.cas_bad_range": Saying(416),
    "storage.full": Saying(413),
    "xet.xorb_missing": Saying(400),
}


def refuse(refusal: Refusal, context: Context) -> Response:
    """Answer a refusal."""
    said = say(SAYINGS, refusal, context)
    headers = {"X-Error-Message": header_text(refusal), "Cache-Control": "no-store"}
    if refusal.code == "hub.cas_bad_range":
        headers["Content-Range"] = f"bytes */{refusal.facts['size']}"
    return reply({"error": said.text}, status=said.status, headers=headers)
