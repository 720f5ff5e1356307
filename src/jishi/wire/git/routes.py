"""All addresses of Git's dialects: smart HTTP and LFS."""

from __future__ import annotations

from typing import Final

from jishi.http import Route
from jishi.wire.git.lfs import ROUTES as LFS
from jishi.wire.git.smart import ROUTES as SMART

ROUTES: Final[tuple[Route, ...]] = (*LFS, *SMART)
