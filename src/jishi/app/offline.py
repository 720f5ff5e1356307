"""Commands without a running server: this process holds the data folder meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import msgspec

from jishi.app.commands import Command, Examine
from jishi.app.control import answer_command, say
from jishi.app.folder import FolderMissing, locked, opened
from jishi.app.settings import load_settings
from jishi.core.errors import Refusal


def answer_offline(
    folder: Path, environment: Mapping[str, str], body: bytes, *, locale: str
) -> tuple[int, bytes]:
    """Open the data folder, run the command in ``body``, close; answers as the socket does.

    Whoever only looks changes nothing: no folder is made and no schema upgraded for that.
    """
    try:
        examines = isinstance(msgspec.json.decode(body, type=Command), Examine)
        if examines and not (folder / "keys" / "root").exists():
            raise FolderMissing(folder=str(folder))
        settings = load_settings(folder, environment)
        with locked(folder), opened(settings, upgrading=not examines) as node:
            return asyncio.run(answer_command(node, settings, body, locale=locale))
    except Refusal as refusal:
        return 409, msgspec.json.encode(say(refusal, locale))
