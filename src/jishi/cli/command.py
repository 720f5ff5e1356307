"""Verbs that ask for one thing: of the running server, else of the data folder itself."""

from __future__ import annotations

import json
import os
import sys
import time
from argparse import Namespace
from importlib import import_module
from typing import Final

from jishi.cli.locale import locale_of
from jishi.cli.remote import NoServer, ask

STARTING_SECONDS: Final = 10.0
"""How long a server that holds the folder and does not answer yet is waited for."""
_OK: Final = 200


def run(told: Namespace, environment: dict[str, str]) -> int:
    """Ask, print, and return the exit status."""
    command = {"type": told.command, **{name: getattr(told, name) for name in told.fields}}
    locale = locale_of(environment)
    status, answer = _ask(told, json.dumps(command).encode(), environment, locale)
    said = json.loads(answer)
    if status != _OK:
        print(said["error"], file=sys.stderr)  # noqa: T201
        return 1
    for line in said["notes"]:
        print(line, file=sys.stderr)  # noqa: T201
    try:
        print(*said["out"], sep="\n", end="\n" if said["out"] else "", flush=True)  # noqa: T201
    except BrokenPipeError:  # such as `jishi doctor | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0 if said["ok"] else 1


def _ask(
    told: Namespace, body: bytes, environment: dict[str, str], locale: str
) -> tuple[int, bytes]:
    """Ask the server; without one open the folder; if a server is starting, wait for it."""
    deadline = time.monotonic() + STARTING_SECONDS
    while True:
        try:
            return ask(told.data, body, locale=locale)
        except NoServer:
            refused = _refused(told, locale)
        if refused is not None:
            return refused
        offline = import_module("jishi.app.offline")
        answer: tuple[int, bytes] = offline.answer_offline(
            told.data, environment, body, locale=locale
        )
        is_locked = answer[0] != _OK and json.loads(answer[1])["code"] == "app.folder_locked"
        if not is_locked or time.monotonic() > deadline:
            return answer
        time.sleep(0.1)


def _refused(told: Namespace, locale: str) -> tuple[int, bytes] | None:
    """Refuse a folder without an installation, before anything heavy is loaded.

    Only the first administrator, in a folder that somebody named, may begin one.
    """
    begins = told.is_named and getattr(told, "admin", False)
    installation = import_module("jishi.app.installation")
    answer: tuple[int, bytes] | None = installation.refuse_missing(
        told.data, program=told.program, locale=locale, may_begin=begins
    )
    return answer
