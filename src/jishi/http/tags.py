"""HTML of strangers as tags and text, in one walk that looks at nothing twice.

What comes out is all that the parser after us will see: text has no ``<`` left, tags are
written anew from their name and attributes, comments and text that is never shown are gone.
So nothing can hide from a limit that is counted here.  Reads tags and attributes as the HTML
standard's tokenizer does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final

from typing_extensions import override

TAGS_MAX: Final = 100_000
"""Of one document."""

_NAME: Final = re.compile(r"</?([a-zA-Z][^\t\n\f\r />]*)")
_SIMPLE: Final = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)( ?/?)>")
_ATTRIBUTE: Final = re.compile(
    r"[\t\n\f\r /]*(?P<name>=?[^\t\n\f\r /=>]*)(?P<equals>[\t\n\f\r ]*=[\t\n\f\r ]*)?"
)
_UNQUOTED: Final = re.compile(r"[^\t\n\f\r >]*")
_COMMENT_END: Final = re.compile("--!?>")
_RAW_ENDS: Final = {
    name: re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE)
    for name in (
        *("script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes"),
        "noscript",
    )
}
"""Elements whose text is no markup.  None of it would be shown."""


class TooManyTags(ValueError):
    """The document has more than ``TAGS_MAX`` tags."""


_NONE: Final[dict[str, str]] = {}


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag.

    Attributes:
        name: In lower case.
        attributes: Those asked for, as written: with their entities.
        is_closed: Whether it ends with ``/>``.
    """

    name: str
    is_end: bool = False
    is_closed: bool = False
    attributes: Mapping[str, str] = field(default_factory=lambda: _NONE)

    @override
    def __str__(self) -> str:
        """Return the tag as HTML."""
        if self.is_end:
            return f"</{self.name}>"
        if not self.attributes:
            return f"<{self.name} />" if self.is_closed else f"<{self.name}>"
        attributes = [
            f' {name}="{value.replace(chr(34), "&quot;")}"'
            for name, value in self.attributes.items()
        ]
        return f"<{self.name}{''.join(attributes)}{' /' if self.is_closed else ''}>"


def split(
    html: str, *, names: AbstractSet[str], attributes: AbstractSet[str]
) -> Iterator[str | Tag]:
    """Yield text, without ``<``, and the tags of ``names`` with their ``attributes``.

    Raises:
        TooManyTags: While it walks.
    """
    place = count = 0
    while (start := html.find("<", place)) >= 0:
        if start > place:
            yield html[place:start]
        tag, place = _read(html, start, attributes)
        if tag is None and place == start + 1:
            yield "&lt;"
        if tag is None:
            continue
        count += 1
        if count > TAGS_MAX:
            raise TooManyTags
        if tag.name in _RAW_ENDS:
            place = place if tag.is_end else _skip_raw(html, place, tag.name)
        elif tag.name in names:
            yield tag
    if place < len(html):
        yield html[place:]


def _read(html: str, start: int, attributes: AbstractSet[str]) -> tuple[Tag | None, int]:
    """Return the tag at ``start`` and where to read on; no tag for what shows nothing."""
    simple = _SIMPLE.match(html, start)
    if simple is not None:
        end, name, closed = simple.groups()
        return Tag(name.lower(), bool(end), closed.endswith("/")), simple.end()
    named = _NAME.match(html, start)
    if named is not None:
        return _read_attributes(html, named, attributes)
    if html.startswith("<!--", start):
        return None, _skip_comment(html, start + 4)
    if html.startswith(("<!", "<?", "</"), start):
        end_of = html.find(">", start)
        return None, end_of + 1 if end_of >= 0 else len(html)
    return None, start + 1


def _skip_comment(html: str, place: int) -> int:
    for short in (">", "->"):
        if html.startswith(short, place):
            return place + len(short)
    end = _COMMENT_END.search(html, place)
    return end.end() if end is not None else len(html)


def _skip_raw(html: str, place: int, name: str) -> int:
    end = _RAW_ENDS[name].search(html, place)
    return end.start() if end is not None else len(html)


def _read_attributes(
    html: str, named: re.Match[str], wanted: AbstractSet[str]
) -> tuple[Tag | None, int]:
    """Read on behind a tag's name; a tag that never ends is none, and all after it is gone."""
    attributes: dict[str, str] = {}
    place = named.end()
    while place < len(html):
        found = _ATTRIBUTE.match(html, place)
        assert found is not None
        place = found.end()
        if not found["name"]:
            if place < len(html):  # here stands ``>``
                is_end, is_closed = named[0].startswith("</"), html[place - 1] == "/"
                return Tag(named[1].lower(), is_end, is_closed, attributes), place + 1
            break
        value = ""
        if found["equals"]:
            value, place = _read_value(html, place)
        name = found["name"].lower()
        if name in wanted:
            attributes.setdefault(name, value)
    return None, len(html)


def _read_value(html: str, place: int) -> tuple[str, int]:
    quote = html[place : place + 1]
    if quote in {'"', "'"}:
        end = html.find(quote, place + 1)
        return (html[place + 1 : end], end + 1) if end >= 0 else ("", len(html))
    unquoted = _UNQUOTED.match(html, place)
    assert unquoted is not None
    return unquoted[0], unquoted.end()
