"""Which files are large: ``.gitattributes``, ``.gitignore`` and a look at the first bytes.

Read as Git reads them, and compared with Git in tests.  A folder's line says nothing about its
files in ``.gitattributes`` and everything in ``.gitignore``.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from typing import Final

from jishi.hub.wildmatch import Patterns

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
        rules = map(_read_rule, _lines_of(text))
        self._rules = Patterns(rule for rule in rules if rule is not None)

    def match(self, path: str) -> bool:
        """Whether ``path`` is large; as in Git, the last line that matches decides."""
        return self._rules.find(path.encode()) is True


class IgnoreRules:
    """The lines of a ``.gitignore``."""

    def __init__(self, text: str) -> None:
        rules = map(_read_ignored, _lines_of(text.removeprefix("\ufeff")))
        self._rules = Patterns(rule for rule in rules if rule is not None)
        self._folders: dict[bytes, bool] = {}

    def match(self, path: str) -> bool:
        """Whether ``path`` or a folder that it lies in is ignored."""
        if not self._rules:
            return False
        octets = path.encode()
        folder, slash, _ = octets.rpartition(b"/")
        return bool(slash and self._ignores(folder)) or self._rules.find(octets) is True

    def _ignores(self, folder: bytes) -> bool:
        """Whether a folder is ignored; nothing in it can be taken back then."""
        known = self._folders.get(folder)
        if known is None:
            above, slash, _ = folder.rpartition(b"/")
            known = bool(slash and self._ignores(above))
            known = known or self._rules.find(folder, is_folder=True) is True
            self._folders[folder] = known
        return known


def _lines_of(text: str) -> list[str]:
    return text[:ATTRIBUTES_BYTES_MAX].split("\n")[:ATTRIBUTES_LINES_MAX]


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


def _read_rule(line: str) -> tuple[bytes, bool] | None:
    found = None if line.lstrip(" \t\r").startswith("#") else _LINE.match(line)
    if found is None:
        return None
    quoted, plain, rest = found.groups()
    words = [word for word in _SPACE.split(rest) if word]
    large = [w == "filter=lfs" for w in words if w.lstrip("-!").partition("=")[0] == "filter"]
    if not large:
        return None
    pattern = _unquote(quoted) if quoted is not None else plain.encode()
    if pattern.startswith(b"!") or pattern.endswith(b"/"):  # Git ignores these here
        return None
    return pattern, large[-1]


def _read_ignored(line: str) -> tuple[bytes, bool] | None:
    pattern = line.removesuffix("\r").encode()
    if not pattern or pattern.startswith(b"#"):
        return None
    end = len(pattern.rstrip(b" "))
    backslashes = end - len(pattern[:end].rstrip(b"\\"))
    pattern = pattern[: end + backslashes % 2]  # a backslash keeps the blank after it
    is_ignored = not pattern.startswith(b"!")
    return pattern.removeprefix(b"!"), is_ignored


def _unquote(text: str) -> bytes:
    """Undo C-style quoting, of bytes too: Git may write three octal digits for one."""
    return _ESCAPE.sub(_unescape, text.encode().decode("latin-1")).encode("latin-1")


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
