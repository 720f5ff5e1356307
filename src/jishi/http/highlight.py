"""Colours for code: spans with classes, made here so that no script has to."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from html import escape
from typing import Final

from markupsafe import Markup
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.token import _TokenType

CODE_CHARS_MAX: Final = 200_000
"""Longer code stays plain."""
SECONDS_MAX: Final = 2.0
"""Work on one document; what comes later stays plain."""
TOKENS_MAX: Final = 100_000
"""Spans in one document, for the reader's browser."""
LOOK_EVERY: Final = 256
"""Tokens between two looks at the watch."""

_ALIASES: Final = {
    "bash": "bash",
    "c": "c",
    "c++": "cpp",
    "cmake": "cmake",
    "console": "console",
    "cpp": "cpp",
    "cs": "csharp",
    "csharp": "csharp",
    "css": "css",
    "cu": "cuda",
    "cuda": "cuda",
    "diff": "diff",
    "docker": "docker",
    "dockerfile": "docker",
    "go": "go",
    "html": "html",
    "ini": "ini",
    "java": "java",
    "javascript": "javascript",
    "jinja": "jinja",
    "js": "javascript",
    "json": "json",
    "jsonl": "json",
    "julia": "julia",
    "kotlin": "kotlin",
    "latex": "latex",
    "lua": "lua",
    "make": "make",
    "makefile": "make",
    "markdown": "markdown",
    "md": "markdown",
    "patch": "diff",
    "perl": "perl",
    "php": "php",
    "proto": "protobuf",
    "py": "python",
    "pycon": "pycon",
    "python": "python",
    "python3": "python",
    "r": "r",
    "rb": "ruby",
    "rs": "rust",
    "ruby": "ruby",
    "rust": "rust",
    "scala": "scala",
    "sh": "bash",
    "shell": "bash",
    "sql": "sql",
    "swift": "swift",
    "tex": "latex",
    "toml": "toml",
    "ts": "typescript",
    "typescript": "typescript",
    "xml": "xml",
    "yaml": "yaml",
    "yml": "yaml",
    "zsh": "bash",
}
"""Names authors write -> lexers we let loose on what strangers uploaded."""

_ENDINGS: Final = {
    "cc": "cpp",
    "cfg": "ini",
    "cxx": "cpp",
    "gitmodules": "ini",
    "h": "cpp",
    "hpp": "cpp",
    "htm": "html",
    "ipynb": "json",
    "jinja2": "jinja",
    "mjs": "javascript",
    "mk": "make",
    "ndjson": "json",
    "pyi": "python",
    "svg": "xml",
    "tsx": "typescript",
}
"""File endings that are not themselves a name in ``_ALIASES``."""

_formatter: HtmlFormatter[str] = HtmlFormatter(nowrap=True, classprefix="hl-")


@dataclass(slots=True)
class Effort:
    """What may still be spent on one document.

    Attributes:
        end: On the monotonic clock, seconds.
        tokens: Spans that may still be made.
    """

    end: float = field(default_factory=lambda: time.monotonic() + SECONDS_MAX)
    tokens: int = TOKENS_MAX

    @property
    def is_spent(self) -> bool:
        """Whether the rest stays plain."""
        return self.tokens <= 0 or time.monotonic() > self.end


def language_of(file_name: str) -> str:
    """Return the language that a file's name tells, empty where it tells none."""
    name = file_name.rpartition("/")[2].lower()
    ending = name.rpartition(".")[2]
    language = _ENDINGS.get(ending, ending)
    return _ALIASES.get(language, "")


def highlight(code: str, language: str, effort: Effort) -> Markup | None:
    """Return ``code`` as HTML with ``hl-…`` spans, one line a line, spans closed at its end.

    ``None`` where the language is not one we know, or the code takes too much.
    """
    lexer = _ALIASES.get(language.lower())
    if lexer is None or len(code) > CODE_CHARS_MAX:
        return None
    tokens: list[tuple[_TokenType, str]] = []
    for token in get_lexer_by_name(lexer, stripnl=False).get_tokens(code):
        tokens.append(token)
        if len(tokens) % LOOK_EVERY == 0:
            effort.tokens -= LOOK_EVERY
            if effort.is_spent:
                return None
    out = _Lines()
    _formatter.format(iter(tokens), out)
    return Markup("".join(out.pieces).removesuffix("\n"))  # noqa: S704  (Pygments escapes)


def lines_of(code: str, language: str) -> tuple[Markup, ...]:
    """Return the lines of ``code``, coloured where that is possible, else only escaped."""
    plain = code.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    coloured = highlight(plain, language, Effort())
    if coloured is not None:
        lines = coloured.split("\n")
        if len(lines) == plain.count("\n") + 1:  # some lexers drop lines they do not know
            return tuple(lines)
    return plain_lines(code)


def plain_lines(code: str) -> tuple[Markup, ...]:
    """Return the lines of ``code``, only escaped."""
    plain = code.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    return tuple(Markup(escape(line)) for line in plain.split("\n"))  # noqa: S704


class _Lines:
    """What the formatter writes to."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def write(self, piece: str) -> None:
        self.pieces.append(piece)
