r"""Markdown that strangers wrote, as HTML that is safe on our pages.

The order is the wall: front matter is cut, comrak renders with raw HTML on, code and math get
their markup, and nh3 comes last.  Nothing may touch the HTML after nh3: latex2mathml, for one,
turns ``\href{javascript:…}`` into a live attribute.  comrak is young; ``cmarkgfm`` can replace
it, and the golden file in ``tests/http`` shows what a new version changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import comrak
import nh3
from markupsafe import Markup

from jishi.core.i18n import N_, translate
from jishi.http.highlight import language_of, lines_of
from jishi.http.passage import DEPTH_MAX, Passage, TooDeep
from jishi.http.tags import TooManyTags, split

__all__ = ["Place", "language_of", "lines_of", "render_markdown"]

SOURCE_CHARS_MAX: Final = 1_000_000
"""Longer documents end here."""
HTML_CHARS_MAX: Final = 8_000_000
"""What gets longer than this is shown as text, like what is too deep."""
ID_PREFIX: Final = "card-"
"""Before every id and every link to one, so that a document cannot pose as a part of the page."""
RENDERER: Final = 3
"""Raise it when the same source gives other HTML: keys of caches hold it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document lies, which says what its relative links mean.

    Attributes:
        pages: Address before the name of a file's page, ``/ns/name/blob/main``.
        files: Address before the name of a file's bytes, ``/ns/name/resolve/main``.
        folder: The folder of the document, empty for the top.
    """

    pages: str
    files: str
    folder: str = ""


def render_markdown(source: str, place: Place, locale: str = "en") -> Markup:
    """Return ``source`` as sanitised HTML; headings begin at ``h2``.

    Args:
        locale: Of the words that are ours: the titles of alerts.

    Cost: 7 ms per 200 KB for comrak, three times that for nh3, half a millisecond a formula;
    away from the loop above 32 KB.
    """
    text = _cut_front_matter(source[:SOURCE_CHARS_MAX])
    if _DEEP_QUOTE.search(text):
        return _as_text(text)
    html = comrak.render_markdown(text, _extensions, _parsing, _rendering)
    html = _CHECKBOX.sub(_checked, html)
    html = _ALERT.sub(lambda found: found[1] + translate(found[2], locale), html)
    try:
        html = Passage(list(split(html, names=_READ_TAGS, attributes=_READ_ATTRIBUTES))).html
    except (TooDeep, TooManyTags):
        return _as_text(text)
    cleaner = nh3.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_Filter(place),
        link_rel="nofollow noopener noreferrer ugc",
        url_schemes=_SCHEMES,
        id_prefix=ID_PREFIX,
        set_tag_attribute_values={"pre": {"tabindex": "0"}, "table": {"tabindex": "0"}},
        clean_content_tags=_DROPPED,
    )
    html = cleaner.clean(html)
    if len(html) > HTML_CHARS_MAX:
        return _as_text(text)
    return Markup(html)  # noqa: S704  (the one sanitiser)


def _cut_front_matter(source: str) -> str:
    text = source.removeprefix("\ufeff")
    found = _FRONT_MATTER.match(text)
    return text[found.end() :] if found else text


def _as_text(text: str) -> Markup:
    return Markup('<pre tabindex="0">{}</pre>').format(text)


def _checked(found: re.Match[str]) -> str:
    """A box that cannot be ticked is a sign; as a form field it would have no label."""
    return "\u2611" if 'checked=""' in found[0] else "\u2610"


@dataclass(frozen=True, slots=True)
class _Filter:
    """The last word on every attribute that nh3 would keep."""

    place: Place

    def __call__(self, tag: str, name: str, value: str) -> str | None:
        match name:
            case "href":
                return self._page(value) if tag == "a" else None
            case "src":
                return self._file(value)
            case "class":
                return _classes(tag, value)
            case "width" | "height" if tag == "img":
                return value if _SIZE.fullmatch(value) else None
            case "open":
                return ""
            case _:
                return value

    def _page(self, value: str) -> str | None:
        address = _SKIPPED.sub("", value).strip()
        if address.startswith("#"):
            return address if address.startswith(f"#{ID_PREFIX}") else f"#{ID_PREFIX}{address[1:]}"
        scheme = _SCHEME.match(_INVISIBLE.sub("", address))
        if scheme is not None:
            return address if scheme[1].lower() in _SCHEMES else None
        return self._inside(address, self.place.pages)

    def _file(self, value: str) -> str | None:
        address = _SKIPPED.sub("", value).strip()
        if _SCHEME.match(_INVISIBLE.sub("", address)):
            return None
        return self._inside(address, self.place.files)

    def _inside(self, address: str, base: str) -> str | None:
        """Return a relative address as one of ours; two slashes of any kind lead elsewhere."""
        if "\\" in address or address.startswith("//"):
            return None
        if address.startswith("/"):
            return address
        path, mark, rest = _partition(address)
        parts = [part for part in self.place.folder.split("/") if part]
        for part in path.split("/"):
            if part == "..":
                del parts[-1:]
            elif part not in {"", "."}:
                parts.append(part)
        return "/".join([base, *parts]) + mark + rest


def _partition(address: str) -> tuple[str, str, str]:
    found = re.search("[?#]", address)
    if found is None:
        return address, "", ""
    rest = address[found.end() :]
    if found[0] == "#" and rest:
        rest = f"{ID_PREFIX}{rest}"
    return address[: found.start()], found[0], rest


def _classes(tag: str, value: str) -> str | None:
    allowed = _ALERT_CLASS if tag in {"div", "p"} else _CODE_CLASS
    kept = [name for name in value.split() if allowed.fullmatch(name)]
    return " ".join(kept) or None


_FRONT_MATTER: Final = re.compile(
    r"\A\s*---[ \t]*\r?\n.*?(?:^---[ \t]*(?:\r?\n|\Z)|\Z)\s*", re.DOTALL | re.MULTILINE
)
_DEEP_QUOTE: Final = re.compile(rf"^(?: {{0,3}}>){{{DEPTH_MAX}}}", re.MULTILINE)
_CHECKBOX: Final = re.compile(r'<input type="checkbox" (?:checked="" )?disabled="" />')
_ALERTS: Final = (N_("Note"), N_("Tip"), N_("Important"), N_("Warning"), N_("Caution"))
_ALERT: Final = re.compile(rf'(<p class="markdown-alert-title">)({"|".join(_ALERTS)})(?=</p>)')
"""The titles that comrak gives to alerts without one."""
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.\-]*):", re.IGNORECASE)
_INVISIBLE: Final = re.compile("[\x00-\x20\x7f]")
"""What browsers skip inside of a scheme."""
_SKIPPED: Final = re.compile("[\x00-\x1f\x7f]")
"""What browsers skip anywhere in an address: two slashes may have a tab between them."""
_SIZE: Final = re.compile(r"[0-9]{1,4}%?")
_CODE_CLASS: Final = re.compile(r"hl-[a-z0-9]{1,4}|language-[\w+#.\-]{1,30}")
_ALERT_CLASS: Final = re.compile(
    r"markdown-alert(?:-(?:title|note|tip|important|warning|caution))?"
)
"""What comrak calls its alerts.  Other classes would let a document dress as our chrome."""

_SCHEMES: Final = {"http", "https", "mailto"}
_MATH_TAGS: Final = frozenset(
    (
        *("math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot"),
        *("msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts"),
        *("mprescripts", "mtable", "mtr", "mtd", "mstyle", "mpadded", "mphantom", "menclose"),
    )
)
_TAGS: Final = {
    *("a", "abbr", "b", "bdi", "bdo", "blockquote", "br", "center", "cite", "code", "dd", "del"),
    *("details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h2", "h3", "h4", "h5"),
    *("h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "picture", "pre", "q", "rp"),
    *(
        "rt",
        "ruby",
        "s",
        "samp",
        "section",
        "small",
        "span",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
    ),
    *("tbody", "td", "tfoot", "th", "thead", "tr", "tt", "u", "ul", "var", "wbr"),
    *_MATH_TAGS,
}
_DROPPED: Final = {
    *("script", "style", "noscript", "template", "iframe", "object", "embed", "svg", "title"),
    *("textarea", "select", "noembed", "noframes", "xmp", "annotation-xml"),
}
"""Gone with all that is in them."""
_ALIGNED: Final = ("p", "div", "h2", "h3", "h4", "h5", "h6", "td", "th", "tr", "table")
_ATTRIBUTES: Final[dict[str, set[str]]] = {
    "*": {"id", "lang", "dir", "title"},
    "a": {"href"},
    "code": {"class"},
    "details": {"open"},
    "img": {"src", "alt", "width", "height", "align"},
    "math": {"display"},
    "menclose": {"notation"},
    "mfrac": {"linethickness"},
    "mi": {"mathvariant"},
    "mo": {
        *("fence", "form", "largeop", "lspace", "maxsize", "minsize", "movablelimits", "rspace"),
        *("separator", "stretchy", "symmetric", "accent"),
    },
    "mover": {"accent"},
    "mpadded": {"width", "height", "depth", "lspace", "voffset"},
    "mspace": {"width", "height", "depth"},
    "mstyle": {"displaystyle", "scriptlevel"},
    "mtable": {"columnalign", "rowspacing", "columnspacing", "columnlines", "rowlines"},
    "mtd": {"columnalign"},
    "munder": {"accentunder"},
    "ol": {"start", "type", "reversed"},
    "span": {"class"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
for _tag in _ALIGNED:
    _ATTRIBUTES.setdefault(_tag, set()).add("align")
for _tag in ("div", "p"):
    _ATTRIBUTES[_tag].add("class")

_READ_TAGS: Final = _TAGS | _DROPPED | {"h1", "input", "source"}
_READ_ATTRIBUTES: Final = {"data-math-style", *(n for each in _ATTRIBUTES.values() for n in each)}


def _make_extensions() -> comrak.ExtensionOptions:
    options = comrak.ExtensionOptions()
    for name in (
        *("alerts", "autolink", "cjk_friendly_emphasis", "footnotes", "math_code"),
        *("math_dollars", "strikethrough", "table", "tasklist"),
    ):
        setattr(options, name, True)
    return options


_extensions = _make_extensions()
_parsing = comrak.ParseOptions()
_rendering = comrak.RenderOptions()
_rendering.unsafe_ = True  # nh3 decides, not comrak
