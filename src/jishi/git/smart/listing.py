"""``ls-refs`` of protocol version 2, answered from SQL (gitprotocol-v2(5))."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from jishi.git.refs import Ref
from jishi.git.smart.packets import FLUSH, BadRequest, packet, split

PREFIXES_MAX: Final = 65_536
"""More prefixes than that mean all refs, as in Git itself."""
COMMAND_BYTES_MAX: Final = 4096
"""The command stands in so much of a request."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a client wants to know about refs.

    Attributes:
        prefixes: Beginnings of the names it asks for; none means all.
        peel: Say what annotated tags stand for.
        symrefs: Say where ``HEAD`` points.
        unborn: Say so of a ``HEAD`` that points to no commit yet.
    """

    prefixes: tuple[bytes, ...] = ()
    peel: bool = False
    symrefs: bool = False
    unborn: bool = False


def is_listing(body: bytes) -> bool:
    """Whether a version 2 request is for refs; whatever cannot be read is not."""
    try:
        for line in split(body[:COMMAND_BYTES_MAX]):
            if line is None:
                return False
            if line.startswith(b"command="):
                return line == b"command=ls-refs"
    except BadRequest:
        return False
    return False


def read_question(body: bytes) -> Question:
    """Read an ``ls-refs`` request.

    Raises:
        BadRequest: If it is none, or asks what is not known.
    """
    lines = split(body)
    for line in lines:
        if line is None:
            break
        if line.startswith(b"object-format=") and line != b"object-format=sha1":
            raise BadRequest(problem="objects are named by SHA-1 here")
    prefixes: list[bytes] = []
    flags = set()
    for line in lines:
        word, _, rest = (line or b"").partition(b" ")
        if word == b"ref-prefix":
            prefixes.append(rest)
        elif line in {b"peel", b"symrefs", b"unborn"}:
            flags.add(line)
        else:
            raise BadRequest(problem="ls-refs has an argument that is not known")
    return Question(
        prefixes=tuple(prefixes) if len(prefixes) < PREFIXES_MAX else (),
        peel=b"peel" in flags,
        symrefs=b"symrefs" in flags,
        unborn=b"unborn" in flags,
    )


def answer(question: Question, refs: Mapping[str, Ref], head_ref: str) -> bytes:
    """Return the answer: ``HEAD`` and refs in the order of ``refs``."""
    return b"".join([*map(packet, _lines(question, refs, head_ref)), FLUSH])


def _lines(question: Question, refs: Mapping[str, Ref], head_ref: str) -> Iterator[bytes]:
    head = refs.get(head_ref)
    target = f" symref-target:{head_ref}" if question.symrefs else ""
    if _is_wanted(question, b"HEAD"):
        if head is not None:
            yield f"{head.oid} HEAD{target}\n".encode()
        elif question.unborn and question.symrefs:
            yield f"unborn HEAD{target}\n".encode()
    for name, ref in refs.items():
        raw = name.encode()
        if _is_wanted(question, raw):
            peeled = f" peeled:{ref.peeled}" if question.peel and ref.peeled else ""
            yield b"%b %b%b\n" % (ref.oid.encode(), raw, peeled.encode())


def _is_wanted(question: Question, name: bytes) -> bool:
    return not question.prefixes or name.startswith(question.prefixes)
