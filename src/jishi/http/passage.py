"""The middle of the way from Markdown to safe HTML: what comrak wrote becomes ours.

One walk over the tags: code and formulas get their markup, headings their names, images from
elsewhere become links.  The same walk counts what is open, as the parser that follows will,
because its time and memory grow faster than the document: with the square of the depth, and
with each ``<b>`` that it has to open again in every paragraph.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from html import escape, unescape
from typing import Final

from latex2mathml import exceptions as tex_errors
from latex2mathml.converter import convert

from jishi.http.highlight import Effort, highlight
from jishi.http.tags import Tag

FORMULA_CHARS_MAX: Final = 2_000
DEPTH_MAX: Final = 400
"""Elements inside each other; the time of nh3 grows with the square."""

FORMATTING: Final = frozenset(("b", "code", "em", "i", "s", "small", "strong", "tt", "u"))
"""What a parser opens again in each block, if it was left open."""
ALIKE_MAX: Final = 3
"""How many of one name it keeps for that if they are alike: so they lose their attributes."""
_ALONE: Final = frozenset(
    (
        *("br", "col", "embed", "hr", "img", "input", "source", "wbr", "p", "li", "td", "th"),
        *("tr", "dt", "dd"),
    )
)
"""Tags that end by themselves, or where the next of them begins."""
_TABLES: Final = frozenset(("caption", "table", "tbody", "tfoot", "thead"))
_WALLS: Final = _TABLES | {
    *("annotation-xml", "math", "mi", "mn", "mo", "ms", "mtext", "object", "select", "svg"),
    "template",
}
"""What no end tag from inside reaches over."""
_BLOCKS: Final = frozenset(
    (
        *("blockquote", "center", "details", "div", "dl", "figcaption", "figure", "h1", "h2"),
        *("h3", "h4", "h5", "h6", "ol", "pre", "section", "summary", "ul"),
    )
)
"""What the end tag of a word does not reach over."""
_HEADINGS: Final = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_NOT_IN_NAMES: Final = re.compile(r"[^\w\- ]")
_OUTSIDE: Final = re.compile(r"(?:https?:)?[\\/]{2}", re.IGNORECASE)
_LANGUAGE: Final = re.compile(r"language-([^ ]*)")
_MATH: Final = "data-math-style"
_TEX_FAULTS: Final[tuple[type[Exception], ...]] = (
    *(kind for kind in vars(tex_errors).values() if isinstance(kind, type)),
    *(ArithmeticError, AttributeError, AssertionError, LookupError, RecursionError),
    *(RuntimeError, StopIteration, TypeError, ValueError),
)
"""latex2mathml meets odd input with whatever its code runs into."""


class TooDeep(ValueError):
    """More elements lie inside each other than a page shows."""


class Passage:
    """One document on its way; ``html`` is what came out."""

    def __init__(self, tokens: Sequence[str | Tag]) -> None:
        """Walk over all of ``tokens``.

        Raises:
            TooDeep: As soon as it is.
        """
        self._tokens = tokens
        self._effort = Effort()
        self._open = _Open()
        self._out: list[str] = []
        self._heading: _Heading | None = None
        self._names: Counter[str] = Counter()
        self._links = 0
        place = 0
        while place < len(tokens):
            place += self._walk(place)
        self.html = "".join(self._out)

    def _walk(self, place: int) -> int:
        """Take what stands at ``place`` and return how many tokens that were."""
        token = self._tokens[place]
        if isinstance(token, str):
            self._out.append(token)
            if self._heading is not None:
                self._heading.texts.append(token)
            return 1
        taken = 0
        if token.name == "pre":
            taken = self._block(place)
        elif _MATH in token.attributes:
            taken = self._inline_formula(place)
        if not taken:
            self._tag(token)
        return taken or 1

    def _block(self, place: int) -> int:
        """Code or a formula between fences: text in ``<pre><code …>``, as comrak writes it."""
        code = self._tokens[place + 1 : place + 2]
        if not code or not _begins(code[0], "code"):
            return 0
        text = self._tokens[place + 2 : place + 5]
        ends = [str(tag) for tag in text[1:]]
        if ends != ["</code>", "</pre>"] or not isinstance(text[0], str):
            return 0
        assert isinstance(code[0], Tag)
        style = code[0].attributes.get(_MATH)
        if style is not None:
            self._out.append(self._formula(text[0], style))
            return 5
        language = _LANGUAGE.match(code[0].attributes.get("class", ""))
        if language is None:
            return 0
        self._out.append(self._coloured(text[0], unescape(language[1])))
        return 5

    def _inline_formula(self, place: int) -> int:
        opening, *after = self._tokens[place : place + 3]
        assert isinstance(opening, Tag)
        ends = [str(tag) for tag in after[1:]]
        if ends not in (["</span>"], ["</code>"]) or not isinstance(after[0], str):
            return 0
        if ends != [f"</{opening.name}>"]:
            return 0
        self._out.append(self._formula(after[0], opening.attributes[_MATH]))
        return 3

    def _formula(self, text: str, style: str) -> str:
        tex = unescape(text).strip()
        plain = f"<code>{escape(tex)}</code>"
        if len(tex) > FORMULA_CHARS_MAX or self._effort.is_spent:
            return plain
        try:
            return convert(tex, display="block" if style == "display" else "inline")
        except _TEX_FAULTS:
            return plain

    def _coloured(self, text: str, language: str) -> str:
        text = text.removesuffix("\n")
        coloured = highlight(unescape(text), language, self._effort)
        inner = text if coloured is None else coloured
        return f'<pre><code class="language-{escape(language)}">{inner}\n</code></pre>'

    def _tag(self, tag: Tag) -> None:
        """Let a tag through, changed where it has to be."""
        if tag.attributes and (tag.name in FORMATTING or _MATH in tag.attributes):
            tag = Tag(tag.name, tag.is_end, tag.is_closed)
        self._open.take(tag)
        if tag.name in _HEADINGS:
            self._head(tag)
            return
        if tag.name == "a":
            self._links = max(0, self._links + (-1 if tag.is_end else 1))
        outside = _outside(tag) if tag.name == "img" else ""
        self._out.append(self._link(tag, outside) if outside else str(tag))

    def _head(self, tag: Tag) -> None:
        """Move a heading one level down, below the page's own, and name it as GitHub does.

        comrak names them too, in a time that grows with the square of equal headings.
        """
        heading = self._heading
        if not tag.is_end:
            self._heading = _Heading(tag.name, len(self._out))
        elif heading is not None and heading.name == tag.name:
            level = min(6, int(tag.name[1]) + 1)
            text = unescape("".join(heading.texts)).strip().lower()
            name = _NOT_IN_NAMES.sub("", text).replace(" ", "-")
            number = f"-{self._names[name]}" if self._names[name] else ""
            self._names[name] += 1
            self._out[heading.place] = f'<h{level} id="{escape(name + number)}">'
            self._out.append(f"</h{level}>")
            self._heading = None
            return
        self._out.append(str(tag))

    def _link(self, image: Tag, address: str) -> str:
        """Put a link in the place of an image from elsewhere: reading must tell nobody else.

        Where this does not recognise one, the filter of the last step takes its address away.
        """
        name = image.attributes.get("alt") or escape(address.rpartition("/")[2] or address)
        name = name.replace("<", "&lt;").replace(">", "&gt;")
        return name if self._links else f'<a href="{escape(address)}">{name}</a>'


class _Heading:
    """A heading that has not ended yet.

    Attributes:
        place: Of its tag in what goes out.
        texts: What it says so far.
    """

    def __init__(self, name: str, place: int) -> None:
        self.name = name
        self.place = place
        self.texts: list[str] = []


class _Open:
    """The elements that are open: as many as for the parser or more, never fewer."""

    def __init__(self) -> None:
        self._stack: list[str] = []
        self._counts: Counter[str] = Counter()

    def take(self, tag: Tag) -> None:
        """Open or close what ``tag`` does.

        Raises:
            TooDeep: If more than ``DEPTH_MAX`` are open then.
        """
        name = tag.name
        if name in _ALONE or (tag.is_closed and self._counts["math"]):
            return
        if (tag.is_end or name == "a") and self._counts[name]:
            self._close(name)
        if not tag.is_end:
            self._stack.append(name)
            self._counts[name] += 1
            if len(self._stack) > DEPTH_MAX:
                raise TooDeep

    def _close(self, name: str) -> None:
        is_reopened = name in FORMATTING or name == "a"
        walls = _WALLS
        if name in _TABLES:
            walls = _WALLS - _TABLES | {"table"}
        elif name not in _BLOCKS and (not is_reopened or self._counts[name] > ALIKE_MAX):
            walls = _WALLS | _BLOCKS
        at = len(self._stack) - 1
        while self._stack[at] != name:
            if self._stack[at] in walls:
                return
            at -= 1
        gone = [name] if is_reopened else self._stack[at:]
        self._counts.subtract(gone)
        del self._stack[at : at + len(gone)]


def _begins(token: str | Tag, name: str) -> bool:
    return isinstance(token, Tag) and token.name == name and not token.is_end


def _outside(image: Tag) -> str:
    """Return the address of an image that lies elsewhere, empty for one of ours."""
    address = unescape(image.attributes.get("src", "")).strip()
    return address if _OUTSIDE.match(address) else ""
