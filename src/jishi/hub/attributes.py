"""Which files are large: ``.gitattributes``, ``.gitignore`` and a look at the first bytes.

``pathspec`` reads ``.gitignore``.  Attributes match differently (a folder's line says nothing
about its files), so their patterns are translated here and compared with Git's in tests.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from typing import Final

import pathspec

REGULAR_BYTES_MAX = 10_000_000
"""Largest file that Git itself keeps; what is larger goes to the content store."""
ATTRIBUTES_BYTES_MAX = 256 << 10
ATTRIBUTES_LINES_MAX = 5_000
SAMPLE_BYTES = 512

LFS: Final = "filter=lfs diff=lfs merge=lfs -text"
_ENDINGS: Final = (
    *("7z", "arrow", "avro", "bin", "bz2", "ckpt", "ftz", "gguf", "gz", "h5", "joblib", "lz4"),
    *("mds", "mlmodel", "model", "msgpack", "npy", "npz", "onnx", "ot", "parquet", "pb"),
    *("pickle", "pkl", "pt", "pth", "rar", "safetensors", "tar", "tflite", "tgz", "wasm"),
    *("xz", "zip", "zst"),
)
DEFAULT: Final = "".join(
    [
        *(f"*.{ending} {LFS}\n" for ending in _ENDINGS),
        f"*.tar.* {LFS}\n",
        f"saved_model/**/* {LFS}\n",
        f"*tfevents* {LFS}\n",
    ]
)
"""``.gitattributes`` of a new repository: what holds weights, archives or tables."""

_MEDIA: Final = "".join(
    f"*.{ending} {LFS}\n"
    for ending in (
        *("aac", "ac3", "aiff", "au", "avi", "bmp", "flac", "gif", "jpeg", "jpg", "m4a", "m4v"),
        *("mkv", "mov", "mp3", "mp4", "ogg", "opus", "pcm", "png", "sam", "tiff", "wav", "webm"),
        *("webp", "raw"),
    )
)
DEFAULT_DATASET: Final = DEFAULT + _MEDIA

_LINE = re.compile(r'[ \t\r]*(?:"((?:[^"\\]|\\.)*)"|([^ \t\r"][^ \t\r]*))[ \t\r]+(.*)', re.DOTALL)
_SPACE = re.compile(r"[ \t\r]+")
_GLOB = re.compile(r"([*?\[\]\\])")


class LargeRules:
    """The lines of a ``.gitattributes`` that say what is kept outside of Git."""

    def __init__(self, text: str) -> None:
        rules: list[tuple[str, bool]] = []
        for line in text[:ATTRIBUTES_BYTES_MAX].split("\n")[:ATTRIBUTES_LINES_MAX]:
            rule = _read_rule(line)
            if rule is not None:
                rules.append(rule)
        self._rules = _compile(rules)

    def match(self, path: str) -> bool:
        """Whether ``path`` is large; as in Git, the last line that matches decides."""
        octets = path.encode()
        for pattern, is_large in reversed(self._rules):
            if pattern.fullmatch(octets):
                return is_large
        return False


def ignore_rules(text: str) -> pathspec.GitIgnoreSpec:
    """Return the rules of a ``.gitignore``; lines that are no patterns say nothing."""
    kept = []
    for line in text[:ATTRIBUTES_BYTES_MAX].split("\n")[:ATTRIBUTES_LINES_MAX]:
        try:
            pathspec.GitIgnoreSpec.from_lines([line])
        except ValueError:
            continue
        kept.append(line)
    return pathspec.GitIgnoreSpec.from_lines(kept)


def track(text: str, paths: Iterable[str]) -> str:
    """Return ``text`` with a line for each of ``paths`` that no line makes large yet."""
    rules = LargeRules(text)
    missing = [path for path in paths if not rules.match(path)]
    if not missing:
        return text
    head = text if not text or text.endswith("\n") else text + "\n"
    return head + "".join(f"{_escape(path)} {LFS}\n" for path in missing)


def looks_binary(sample: bytes) -> bool:
    """Whether the first bytes of a file are not text: a NUL, or not UTF-8."""
    if b"\0" in sample:
        return True
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)  # the end may be cut
    except UnicodeDecodeError:
        return True
    return False


def _read_rule(line: str) -> tuple[str, bool] | None:
    found = None if line.lstrip(" \t\r").startswith("#") else _LINE.match(line)
    if found is None:
        return None
    quoted, plain, rest = found.groups()
    words = [word for word in _SPACE.split(rest) if word]
    large = [w == "filter=lfs" for w in words if w.lstrip("-!").partition("=")[0] == "filter"]
    if not large:
        return None
    pattern = _unquote(quoted) if quoted is not None else plain
    return pattern, large[-1]


def _compile(rules: list[tuple[str, bool]]) -> list[tuple[re.Pattern[bytes], bool]]:
    compiled = []
    for pattern, is_large in rules:
        if pattern.startswith("!") or pattern.endswith("/"):  # Git ignores these here
            continue
        anchored = "/" in pattern
        octets = pattern.removeprefix("/").encode().decode("latin-1")  # Git matches bytes
        regex = _wildmatch(octets, literal=_literal(octets) if anchored else 0)
        if regex is None:
            continue
        start = "" if anchored else "(?:.*/)?"
        compiled.append((re.compile((start + regex).encode("latin-1"), re.DOTALL), is_large))
    return compiled


def _literal(pattern: str) -> int:
    """Return how many characters stand for themselves before the first that does not."""
    found = _GLOB.search(pattern)
    return len(pattern) if found is None else found.start()


def _wildmatch(pattern: str, *, literal: int) -> str | None:
    """Translate Git's wildmatch to a regular expression; ``None`` if it matches nothing.

    A pattern that matches a folder says nothing about the files in it, unlike in
    ``.gitignore``, so this is not pathspec's translation.

    Args:
        literal: Characters that Git compares by themselves (``match_pathname`` of its
            ``dir.c``) before it begins with wildmatch: stars right after them are its first.
    """
    out, place = [], 0
    while place < len(pattern):
        piece, length = _translate(pattern, place, literal)
        if piece is None:
            return None
        out.append(piece)
        place += length
    return "".join(out)


def _translate(pattern: str, place: int, literal: int) -> tuple[str | None, int]:
    """Return the expression for what stands at ``place``, and how long that is."""
    match pattern[place]:
        case "*":
            return _stars(pattern, place, literal)
        case "?":
            return "[^/]", 1
        case "[":
            found = _BRACKET.match(pattern, place)
            return (None, 1) if found is None else (_bracket(found), len(found[0]))
        case "\\":
            ends = place + 1 == len(pattern)
            return (None, 1) if ends else (re.escape(pattern[place + 1]), 2)
        case char:
            return re.escape(char), 1


def _stars(pattern: str, place: int, literal: int) -> tuple[str, int]:
    """Two stars or more cross folders, but only as a whole part of the path."""
    length = len(pattern[place:]) - len(pattern[place:].lstrip("*"))
    end = place + length
    if length > 1 and (place in {0, literal} or pattern[place - 1] == "/"):
        if end == len(pattern):
            return ".*", length
        if pattern[end] == "/":
            return "(?:.*/)?", length + 1
    return "[^/]*", length


def _bracket(found: re.Match[str]) -> str | None:
    inner = found[2].replace("[:space:]", " \\t").replace("[", "\\[")
    if inner.startswith("]"):
        inner = "\\" + inner
    negated = "^" if found[1] else ""
    text = f"(?!/)[{negated}{inner}]"
    try:
        re.compile(text)
    except re.error:
        return None
    return text


_BRACKET = re.compile(r"\[([!^]?)(\]?(?:\[:[a-z]+:\]|\\.|[^\]\\])*)\]")


def _unquote(text: str) -> str:
    """Undo C-style quoting, of bytes too: Git may write three octal digits for one."""
    octets = _ESCAPE.sub(_unescape, text.encode().decode("latin-1"))
    return octets.encode("latin-1").decode("utf-8", "replace")


def _unescape(found: re.Match[str]) -> str:
    word = found[1]
    return chr(int(word, 8) & 0xFF) if word[0] in "0123" else _LETTERS.get(word, word)


_ESCAPE = re.compile(r"\\([0-3][0-7]{2}|.)", re.DOTALL)
_LETTERS: Final = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def _escape(path: str) -> str:
    pattern = "/" + _GLOB.sub(r"\\\1", path) if "/" in path else _GLOB.sub(r"\\\1", path)
    pattern = pattern.replace(" ", "[[:space:]]")
    if pattern[0] in '#!"':
        pattern = "\\" + pattern
    return pattern
