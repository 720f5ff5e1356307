"""Trees and commits as bytes: the two formats of Git that we read and write ourselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

FOLDER, FILE, EXECUTABLE, LINK, SUBMODULE = 0o040000, 0o100644, 0o100755, 0o120000, 0o160000

_OID_BYTES: Final = 20
_MICROS: Final = 1_000_000
_NOT_IN_NAMES: Final = str.maketrans({"<": "", ">": "", "\n": " ", "\r": " ", "\0": ""})


@dataclass(frozen=True, slots=True)
class Author:
    """Who made a commit, as Git keeps it."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, read.

    Attributes:
        title: First line of the message; ``message`` is the rest.
        author: Name, not address.
        at: When it was written, microseconds UTC.
        tree: The root folder, 40 hex digits.
        committed_at: When it became part of history; equals ``at`` for commits made here.
    """

    oid: str
    title: str
    message: str
    author: str
    at: int
    parents: tuple[str, ...]
    tree: str
    committed_at: int


def parse_tree(data: bytes) -> list[tuple[bytes, int, bytes]]:
    """Return ``(name, mode, oid)`` of each entry, in Git's order.

    Raises:
        ValueError: If this is no tree.
    """
    entries = []
    start, end = 0, len(data)
    while start < end:
        space = data.index(b" ", start)
        zero = data.index(b"\0", space)
        after = zero + 1 + _OID_BYTES
        entries.append((data[space + 1 : zero], int(data[start:space], 8), data[zero + 1 : after]))
        start = after
    return entries


def format_tree(entries: Iterable[tuple[bytes, int, bytes]]) -> bytes:
    """Return the tree that has ``entries``, which may come in any order."""
    in_order = sorted(entries, key=sort_key)
    return b"".join([b"%o %b\0%b" % (mode, name, oid) for name, mode, oid in in_order])


def sort_key(entry: tuple[bytes, int, bytes]) -> bytes:
    """Return what Git sorts an entry by: a folder as if its name ended in a slash."""
    return entry[0] + b"/" if entry[1] == FOLDER else entry[0]


def format_commit(
    *, tree: str, parents: Iterable[str], author: Author, message: str, at: int
) -> bytes:
    """Return a commit by ``author``.

    Args:
        at: Microseconds UTC; Git keeps seconds.
    """
    signature = format_author(author, at)
    lines = [f"tree {tree}", *(f"parent {parent}" for parent in parents)]
    lines += [f"author {signature}", f"committer {signature}", "", message.rstrip("\n") + "\n"]
    return "\n".join(lines).encode("utf-8", "replace").replace(b"\0", b"")


def format_tag(*, oid: str, name: str, author: Author, message: str, at: int) -> bytes:
    """Return an annotated tag of commit ``oid``; ``at`` in microseconds UTC."""
    lines = [f"object {oid}", "type commit", f"tag {name}", f"tagger {format_author(author, at)}"]
    text = "\n".join([*lines, "", message.rstrip("\n") + "\n"])
    return text.encode("utf-8", "replace").replace(b"\0", b"")


def format_author(author: Author, at: int) -> str:
    """Return a signature line; characters that would break it are left out."""
    name = author.name.translate(_NOT_IN_NAMES).strip() or "unknown"
    return f"{name} <{author.email.translate(_NOT_IN_NAMES).strip()}> {at // _MICROS} +0000"


def parse_commit(oid: str, data: bytes) -> Commit:
    """Read a commit; what is not UTF-8 in it is replaced."""
    head, _, body = data.partition(b"\n\n")
    tree, author, at, committed_at = "", "", 0, 0
    parents = []
    for line in head.split(b"\n"):
        word, _, rest = line.partition(b" ")
        if word == b"tree":
            tree = rest.decode("ascii", "replace")
        elif word == b"parent":
            parents.append(rest.decode("ascii", "replace"))
        elif word == b"author" and not author:
            author, at = _parse_author(rest)
        elif word == b"committer":
            committed_at = _parse_author(rest)[1]
    text = body.decode("utf-8", "replace")
    title, _, message = text.strip("\n").partition("\n")
    return Commit(oid, title, message.strip(), author, at, tuple(parents), tree, committed_at)


def _parse_author(line: bytes) -> tuple[str, int]:
    name, _, rest = line.partition(b"<")
    moment = rest.rpartition(b">")[2].split()
    seconds = int(moment[0]) if moment and moment[0].isdigit() else 0
    return name.decode("utf-8", "replace").strip(), seconds * _MICROS
