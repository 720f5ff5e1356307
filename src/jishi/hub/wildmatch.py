"""Git's patterns for paths, matched in time that no pattern can make explode.

Strangers write the patterns, so none becomes a regular expression with a star in it: ``re``
holds every other thread while it tries all ways, and five stars on a name of 120 letters took
seconds.  Here each kind of star has one place to go back to: the last ``**`` among folders,
the last ``*`` within a name.  That suffices, since a later star can always take over what an
earlier one leaves, and makes the time at most the product of both lengths.

Follows ``wildmatch.c`` and ``dir.c`` of Git; all is bytes, as there.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Final

PATTERN_BYTES_MAX: Final = 2048
"""Longer patterns match nothing; Git 2.39 stops at this length of a line too."""
GLOBS_MAX: Final = 1_000
"""Patterns of a list that are neither a name, nor a path, nor ``*`` with an ending."""
STEPS_MAX: Final = 1_000_000
"""What one list may spend on all paths, in steps of about a microsecond; then it is silent."""

_GLOB: Final = re.compile(rb"[*?\[\\]")
_SLASH: Final = ord("/")
_CLASSES: Final = {
    name: frozenset(each)
    for name, each in {
        b"alnum": (string.ascii_letters + string.digits).encode(),
        b"alpha": string.ascii_letters.encode(),
        b"blank": b" \t",
        b"cntrl": bytes((*range(0x20), 0x7F)),
        b"digit": string.digits.encode(),
        b"graph": bytes(range(0x21, 0x7F)),
        b"lower": string.ascii_lowercase.encode(),
        b"print": bytes(range(0x20, 0x7F)),
        b"punct": string.punctuation.encode(),
        b"space": b" \t\n\r",
        b"upper": string.ascii_uppercase.encode(),
        b"xdigit": string.hexdigits.encode(),
    }.items()
}
_ALL: Final = frozenset(range(256))
_ANY: Final = _ALL - {_SLASH}


class _Mark(Enum):
    """What in a pattern is not the bytes at one place."""

    STAR = "*"
    STARS = "**"
    SLASH = "/"


_Members = frozenset[int]
"""The bytes that may stand at one place."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """What stands between two stars: as many bytes as it has places."""

    size: int
    literal: bytes | None
    regex: re.Pattern[bytes] | None

    def find(self, text: bytes, start: int, end: int) -> int:
        if self.literal is not None:
            return text.find(self.literal, start, end)
        assert self.regex is not None
        found = self.regex.search(text, start, end)
        return -1 if found is None else found.start()

    def stands(self, text: bytes, start: int) -> bool:
        if self.literal is not None:
            return text.startswith(self.literal, start)
        assert self.regex is not None
        return self.regex.match(text, start) is not None


@dataclass(frozen=True, slots=True)
class _Name:
    """A pattern for one name: pieces with a star between each two."""

    pieces: tuple[_Piece, ...]

    def match(self, text: bytes) -> bool:
        first, last = self.pieces[0], self.pieces[-1]
        if len(self.pieces) == 1:
            return len(text) == first.size and first.stands(text, 0)
        place, end = first.size, len(text) - last.size
        if place > end or not first.stands(text, 0) or not last.stands(text, end):
            return False
        for piece in self.pieces[1:-1]:
            found = piece.find(text, place, end)
            if found < 0:
                return False
            place = found + piece.size
        return True


@dataclass(frozen=True, slots=True)
class Glob:
    """One pattern with wildcards.

    Attributes:
        start: What a path begins with, before the first wildcard.
        names: Patterns of the names after that; ``None`` for any number of folders.
        size: Bytes of the pattern.
    """

    start: bytes
    names: tuple[_Name | None, ...]
    size: int

    def match(self, text: bytes) -> bool:
        """Whether ``text``, a path or only its last name, is meant."""
        if not text.startswith(self.start):
            return False
        parts = text[len(self.start) :].split(b"/")
        if None not in self.names and len(parts) != len(self.names):
            return False
        return self._match(parts)

    def cost(self, text: bytes) -> int:
        """Return the most steps that ``match`` takes."""
        return 1 + (len(text) * self.size >> 10)

    def _match(self, parts: Sequence[bytes]) -> bool:
        place = at = 0
        back: tuple[int, int] | None = None
        while place < len(parts):
            name = self.names[at] if at < len(self.names) else None
            if at < len(self.names) and name is None:
                at += 1
                back = (at, place)
            elif name is not None and name.match(parts[place]):
                at, place = at + 1, place + 1
            elif back is not None:
                at, place = back[0], back[1] + 1
                back = (at, place)
            else:
                return False
        return at == len(self.names)


class Patterns:
    """A list of patterns of one file; of those that match, the last one counts."""

    def __init__(self, patterns: Iterable[tuple[bytes, bool]]) -> None:
        """Read the list.

        Args:
            patterns: Each with what it says.
        """
        self._files = _Table()
        self._folders = _Table()
        for index, (pattern, says) in enumerate(patterns):
            table = self._folders if pattern.endswith(b"/") else self._files
            if len(pattern) <= PATTERN_BYTES_MAX:
                table.add(pattern.removesuffix(b"/"), index, says=says)

    def __bool__(self) -> bool:
        return bool(self._files) or bool(self._folders)

    def find(self, path: bytes, *, is_folder: bool = False) -> bool | None:
        """Return what the last pattern says that matches ``path`` itself, if any does."""
        best = self._files.find(path)
        if is_folder:
            best = max(best, self._folders.find(path))
        return best[1] if best[0] >= 0 else None


_NONE: Final = (-1, False)


class _Table:
    """Patterns by what they need: a look-up, or to be tried one after the other."""

    def __init__(self) -> None:
        self._names: dict[bytes, tuple[int, bool]] = {}
        self._paths: dict[bytes, tuple[int, bool]] = {}
        self._endings: dict[bytes, tuple[int, bool]] = {}
        self._lengths: set[int] = set()
        self._globs: list[tuple[int, bool, bool, Glob]] = []
        self._steps = STEPS_MAX

    def __bool__(self) -> bool:
        return bool(self._names or self._paths or self._endings or self._globs)

    def add(self, pattern: bytes, index: int, *, says: bool) -> None:
        is_path = b"/" in pattern
        pattern = pattern.removeprefix(b"/")
        if not _GLOB.search(pattern):
            (self._paths if is_path else self._names)[pattern] = (index, says)
        elif not is_path and pattern[:1] == b"*" and not _GLOB.search(pattern, 1):
            self._endings[pattern[1:]] = (index, says)
            self._lengths.add(len(pattern) - 1)
        elif len(self._globs) < GLOBS_MAX:
            glob = read_glob(pattern, is_path=is_path)
            if glob is not None:
                self._globs.append((index, says, is_path, glob))

    def find(self, path: bytes) -> tuple[int, bool]:
        name = path.rpartition(b"/")[2]
        best = max(self._names.get(name, _NONE), self._paths.get(path, _NONE))
        for length in self._lengths:
            if length <= len(name):
                best = max(best, self._endings.get(name[len(name) - length :], _NONE))
        for index, says, is_path, glob in reversed(self._globs):
            text = path if is_path else name
            self._steps -= glob.cost(text)
            if index < best[0] or self._steps < 0:
                break
            if glob.match(text):
                return index, says
        return best


def read_glob(pattern: bytes, *, is_path: bool) -> Glob | None:
    """Return a pattern without its leading slash, ready to match; ``None`` if nothing can.

    Args:
        is_path: Whether it is for whole paths: it has a slash.  Git then compares by itself
            what is before the first wildcard (``match_pathname`` of ``dir.c``), so that stars
            right after it are the first that wildmatch sees.
    """
    found = _GLOB.search(pattern) if is_path else None
    literal = found.start() if found is not None else 0
    tokens = _tokens(pattern[literal:], is_path=is_path)
    if tokens is None:
        return None
    names: list[_Name | None] = []
    name: list[_Members | _Mark] = []
    for token in tokens:
        if token is _Mark.STARS:
            names.append(None)
        elif token is _Mark.SLASH:
            names.append(_read_name(name))
            name = []
        else:
            name.append(token)
    return Glob(pattern[:literal], (*names, _read_name(name)), len(pattern))


def _tokens(pattern: bytes, *, is_path: bool) -> list[_Members | _Mark] | None:
    """Return what a pattern is made of; ``None`` if nothing can match it."""
    tokens: list[_Members | _Mark] = []
    place = 0
    while place < len(pattern):
        found = _read_token(pattern, place, is_path=is_path)
        if found is None or not all(found[0]):
            return None
        tokens += found[0]
        place = found[1]
    return tokens


_Read = tuple[tuple[_Members | _Mark, ...], int] | None
"""Tokens and where to read on, or ``None`` in a pattern that is broken."""


def _read_token(pattern: bytes, place: int, *, is_path: bool) -> _Read:
    match pattern[place : place + 1]:
        case b"*":
            return _read_stars(pattern, place, is_path=is_path)
        case b"?":
            return (_ANY,), place + 1
        case b"[":
            return _read_set(pattern, place + 1)
        case b"\\":
            place += 1
    if place == len(pattern):  # nothing follows a backslash
        return None
    byte = pattern[place]
    return (_Mark.SLASH if byte == _SLASH else frozenset((byte,)),), place + 1


def _read_stars(pattern: bytes, start: int, *, is_path: bool) -> _Read:
    """Two stars or more cross folders, but only as a whole part of the path."""
    end = start
    while pattern[end : end + 1] == b"*":
        end += 1
    crosses = is_path and end - start > 1 and pattern[:start][-1:] in {b"", b"/"}
    if crosses and end == len(pattern):
        return (_Mark.STARS, _Mark.STAR), end
    if crosses and pattern[end : end + 1] == b"/":
        return (_Mark.STARS,), end + 1
    if crosses and pattern[end : end + 2] == b"\\/":  # here at least one folder
        return (_Mark.STARS, _Mark.STAR, _Mark.SLASH), end + 2
    return (_Mark.STAR,), end


def _read_set(pattern: bytes, place: int) -> _Read:
    """Read ``[…]`` from behind its bracket, step by step as wildmatch does."""
    is_negated = pattern[place : place + 1] in {b"!", b"^"}
    place += is_negated
    members: set[int] = set()
    last: int | None = None
    is_first = True
    while pattern[place : place + 1] not in {b"", b"]"} or (is_first and place < len(pattern)):
        is_first = False
        found = _read_member(pattern, place, last)
        if found is None:
            return None
        more, last, place = found
        members.update(more)
    if place >= len(pattern):
        return None
    kept = _ALL - members if is_negated else members
    return (frozenset(kept) - {_SLASH},), place + 1


def _read_member(
    pattern: bytes, place: int, last: int | None
) -> tuple[Iterable[int], int | None, int] | None:
    """Return bytes of a set, what a range may begin with, and where to read on."""
    byte = pattern[place : place + 1]
    after = pattern[place + 1 : place + 2]
    if byte == b"-" and last is not None and after not in {b"", b"]"}:
        place += 2 if after == b"\\" else 1
        if place >= len(pattern):
            return None
        return range(last, pattern[place] + 1), None, place + 1
    if byte == b"[" and after == b":":
        end = pattern.find(b"]", place + 2)
        if end < 0:
            return None
        if end > place + 2 and pattern[end - 1 : end] == b":":
            members = _CLASSES.get(pattern[place + 2 : end - 1])
            return None if members is None else (members, None, end + 1)
    if byte == b"\\":
        place += 1
        if place >= len(pattern):
            return None
    return (pattern[place],), pattern[place], place + 1


def _read_name(tokens: Sequence[_Members | _Mark]) -> _Name:
    pieces: list[list[_Members]] = [[]]
    for token in tokens:
        if isinstance(token, _Mark):
            pieces.append([])
        else:
            pieces[-1].append(token)
    return _Name(tuple(map(_read_piece, pieces)))


def _read_piece(places: Sequence[_Members]) -> _Piece:
    if all(len(members) == 1 for members in places):
        return _Piece(len(places), bytes(byte for members in places for byte in members), None)
    return _Piece(len(places), None, re.compile(b"".join(map(_source, places))))


@lru_cache(maxsize=256)
def _source(members: _Members) -> bytes:
    """Return a regular expression for one byte."""
    return b"[%b]" % b"".join(b"\\x%02x" % byte for byte in sorted(members))
