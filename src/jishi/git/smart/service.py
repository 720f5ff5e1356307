"""Serve fetches: stock ``git upload-pack`` over views, one child a request."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import AsyncGenerator
from concurrent.futures import Executor
from contextlib import aclosing
from typing import BinaryIO, Final

from jishi.core.db import Database, Tx
from jishi.core.errors import Broken
from jishi.core.hop import hop
from jishi.git.cache import Cache
from jishi.git.children import running
from jishi.git.packs import generations
from jishi.git.refs import Ref, find_head_ref, list_refs
from jishi.git.smart import listing
from jishi.git.smart.ahead import Room, ahead
from jishi.git.smart.packets import FLUSH, BadRequest, packet
from jishi.git.smart.slots import Slots
from jishi.git.smart.views import View, build_view
from jishi.storage import Spool

log = logging.getLogger(__name__)

VERSION_2: Final = "version=2"
STALL_SECONDS_MAX: Final = 60
TRIES_MAX: Final = 2
"""The cache may be deleted between its synchronisation and the child's first look."""
_PROTOCOL: Final = re.compile(r"version=[012]")
_SERVICE: Final = packet(b"# service=git-upload-pack\n") + FLUSH


class Fetches:
    """Answers the requests of ``git fetch`` and ``git clone`` on one node.

    Args:
        spool: Takes what a child said and nobody took yet.
        slots: Room for children; by default two for each processor.
    """

    def __init__(
        self,
        db: Database,
        cache: Cache,
        pool: Executor,
        spool: Spool,
        *,
        slots: Slots | None = None,
    ) -> None:
        self.slots = slots or Slots(2 * (os.cpu_count() or 1))
        self.room = Room()
        self._db = db
        self._spool = spool
        self._cache = cache
        self._pool = pool
        self._views: dict[int, View] = {}
        self._capabilities = b""

    async def advertise(self, git_id: int, *, protocol: str, caller: str, is_known: bool) -> bytes:
        """Return the answer to ``info/refs?service=git-upload-pack``.

        Args:
            protocol: The ``Git-Protocol`` header; what it may not say is passed over.
            caller: Whose children this one counts among.
            is_known: Whether the caller said who they are.

        Raises:
            TooBusy: If there is no room for a child.
            GitMissing: If there is no Git program.
        """
        protocol = _known(protocol)
        if protocol == VERSION_2 and self._capabilities:
            return self._capabilities
        words = ["--http-backend-info-refs"]
        pieces = self._run(git_id, words, None, protocol=protocol, caller=caller, is_known=is_known)
        async with aclosing(pieces):
            answer = b"".join([piece async for piece in pieces])
        if protocol == VERSION_2:
            self._capabilities = answer
            return answer
        return _SERVICE + answer

    async def list_refs(self, git_id: int, body: bytes) -> bytes:
        """Answer an ``ls-refs`` request of version 2 from SQL.

        Raises:
            BadRequest: If it is none.
        """
        question = listing.read_question(body)
        refs, head_ref = await self._db.read(_refs_and_head, git_id)
        return await hop(self._pool, listing.answer, question, refs, head_ref)

    def fetch(
        self, git_id: int, body: BinaryIO, *, protocol: str, caller: str, is_known: bool
    ) -> AsyncGenerator[bytes]:
        """Answer ``POST git-upload-pack``, piece by piece; close it to end the child.

        A child is started when the first piece is asked for, so whoever makes a generator
        and never starts it holds nothing.  It is read ahead of whoever takes the answer:
        a slow one does not keep it.

        Args:
            body: The request, decoded, at its beginning.
            is_known: Whether the caller said who they are.

        Raises:
            TooBusy: If there is no room for a child.
            GitMissing: If there is no Git program.
            TooSlow: If the answer is taken too slowly, and all cannot be read ahead.
        """
        words = ["--strict", f"--timeout={STALL_SECONDS_MAX}"]
        protocol = _known(protocol)
        pieces = self._run(git_id, words, body, protocol=protocol, caller=caller, is_known=is_known)
        return ahead(pieces, self._spool, self.room, self._pool)

    async def _run(
        self,
        git_id: int,
        words: list[str],
        body: BinaryIO | None,
        *,
        protocol: str,
        caller: str,
        is_known: bool,
    ) -> AsyncGenerator[bytes]:
        errors = ""
        async with self.slots.take(caller, is_known=is_known):
            for attempt in range(TRIES_MAX):
                view = await self._view(git_id, again=attempt > 0)
                if body is not None:
                    body.seek(0)
                pieces = _output(view, words, body, protocol)
                try:
                    async with aclosing(pieces):
                        async for piece in pieces:
                            yield piece
                except _Silent as silent:
                    errors = str(silent)
                    if body is not None and (view.folder / "HEAD").exists():
                        # The repository is there, so it is the request that makes no sense.
                        raise BadRequest(problem=errors.strip()[-200:] or "empty") from silent
                else:
                    return
        raise Broken(f"git upload-pack cannot read repository {git_id}: {errors}")

    async def _view(self, git_id: int, *, again: bool) -> View:
        known = self._views.get(git_id)
        if known is not None and not again:
            found = await self._db.read(generations, git_id)
            is_open = self._cache.peek(git_id, found) is not None
            if found == known.found and is_open and (known.folder / "HEAD").exists():
                return known
        view = await hop(self._pool, build_view, self._db, self._cache, git_id)
        if len(self._views) >= _VIEWS_MAX:
            self._views.clear()
        self._views[git_id] = view
        return view


class _Silent(Exception):
    """A child failed before it said anything; the message is its standard error."""


async def _output(
    view: View, words: list[str], body: BinaryIO | None, protocol: str
) -> AsyncGenerator[bytes]:
    """Yield what one child says.

    Raises:
        _Silent: If it failed without a word.
        Broken: If something ended it in the middle: half an answer must not look whole.
    """
    command = ["upload-pack", "--stateless-rpc", *words, str(view.folder)]
    more = {"GIT_PROTOCOL": protocol} if protocol else {}
    async with running(command, stdin=body, more=more) as child:
        said = False
        while piece := await child.read():
            said = True
            yield piece
        status = await child.process.wait()
        if status < 0:
            raise Broken(f"git upload-pack was ended by signal {-status}")
        if status and not said:
            raise _Silent(child.errors.decode("utf-8", "replace"))
        if status:
            log.info("git upload-pack: status %d, %s", status, bytes(child.errors))


def _known(protocol: str) -> str:
    return protocol if _PROTOCOL.fullmatch(protocol) else ""


def _refs_and_head(tx: Tx, git_id: int) -> tuple[dict[str, Ref], str]:
    return list_refs(tx, git_id), find_head_ref(tx, git_id)


_VIEWS_MAX: Final = 10_000
