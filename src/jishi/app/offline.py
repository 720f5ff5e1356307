"""Commands without a running server: this process holds the data folder meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from jishi.app.commands import AddUser, Command, Examine, Outcome
from jishi.app.control import answer_command
from jishi.app.folder import locked, opened, with_last_url
from jishi.app.installation import is_installed
from jishi.app.saying import say
from jishi.app.settings import load_settings
from jishi.core.errors import Refusal
from jishi.core.i18n import N_, translate
from jishi.people.persons import check_draft

MADE = N_("Made a new installation in {folder}.")
_OK: Final = 200


def answer_offline(
    folder: Path, environment: Mapping[str, str], body: bytes, *, locale: str
) -> tuple[int, bytes]:
    """Open the data folder, run the command in ``body``, close; answers as the socket does.

    Whoever only looks changes nothing: no schema is upgraded for that.

    Args:
        folder: One that ``installation.refuse_missing`` did not refuse.
    """
    command = msgspec.json.decode(body, type=Command)
    begins = not is_installed(folder)
    try:
        settings = with_last_url(load_settings(folder, environment))
        if begins and isinstance(command, AddUser):
            check_draft(command.draft)  # before there is anything to take back
        upgrading = not isinstance(command, Examine)
        with locked(folder), opened(settings, upgrading=upgrading) as node:
            work = answer_command(node, settings, body, locale=locale, is_server=False)
            status, answer = asyncio.run(work)
    except Refusal as refusal:
        return 409, msgspec.json.encode(say(refusal, locale))
    if begins and status == _OK:
        answer = _with(translate(MADE, locale).format(folder=folder), answer)
    return status, answer


def _with(note: str, answer: bytes) -> bytes:
    outcome = msgspec.json.decode(answer, type=Outcome)
    outcome.notes.insert(0, note)
    return msgspec.json.encode(outcome)
