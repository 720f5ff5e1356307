"""Markdown of strangers: what is kept, what is changed, and that nothing of it acts."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jishi.http.markdown import Place, language_of, lines_of, render_markdown
from jishi.http.tags import Tag, split
from tests.payloads import PAYLOADS

PLACE = Place(pages="/zju/silk/blob/main", files="/zju/silk/resolve/main")
GOLDEN = Path(__file__).parent / "golden"


def html(source: str, place: Place = PLACE) -> str:
    return str(render_markdown(source, place))


class Finder(HTMLParser):
    """Collects what an HTML parser would act upon."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "style", "iframe", "object", "embed", "link", "meta", "base", "svg"}:
            self.faults.append(tag)
        for name, value in attrs:
            self._look(tag, name, value or "")

    def _look(self, tag: str, name: str, value: str) -> None:
        address = re.sub("[\x00-\x20]", "", value).lower()
        if name.startswith("on") or name in {"style", "srcset", "formaction", "target", "name"}:
            self.faults.append(f"{tag} {name}")
        if name in {"href", "src"} and not address.startswith(
            ("/zju/silk/", "https://", "http://", "mailto:", "#card-", "/datasets")
        ):
            self.faults.append(f"{tag} {name} {value}")
        if name == "src" and not address.startswith("/"):
            self.faults.append(f"{tag} tells {value}")
        if name == "id" and not value.startswith("card-"):
            self.faults.append(f"{tag} is called {value}")
        if name == "class" and re.search(r"(?<![\w-])(?:btn|go|note|head)(?![\w-])", value):
            self.faults.append(f"{tag} is dressed as {value}")


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("around", ["{}", "Text {} text", "- a\n- {}\n", "> {}\n\n**b**"])
def test_nothing_hostile_is_left(payload: str, around: str) -> None:
    found = Finder(html(around.format(payload)))

    assert found.faults == []


def test_the_constructs_are_rendered_as_ever() -> None:
    rendered = html((GOLDEN / "markdown.md").read_text(encoding="utf-8"))
    golden = (GOLDEN / "markdown.html").read_text(encoding="utf-8")

    assert rendered.splitlines() == golden.splitlines()
    assert Finder(rendered).faults == []


@pytest.mark.parametrize(
    "source",
    [
        "<div>" * 50_000,
        ">" * 50_000,
        "- " * 20_000 + "a",
        "[" * 50_000,
        "**a " * 30_000 + "b**" * 30_000,
        "|" + "a|" * 1_500 + "\n|" + "-|" * 1_500,
        "<b><i><u>" * 10_000,
        "<table><tr><td>" * 5_000,
        "# a\n" * 20_000,
        "$" + "{" * 1_900 + "$",
        "<math><mtext>" * 5_000,
        "`" * 50_000,
    ],
    ids=lambda source: source[:9],
)
def test_hostile_nesting_takes_no_time(source: str) -> None:
    html("warm $x$")
    start = time.process_time()

    html(source)

    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "piece",
    [
        *("<h1></h2>", "<img ", '<code data-math-style="x"></q>', "<!-- ", "<", "<a <a ", "</"),
        *(
            '<pre><code class="language-x"></q></q>',
            '<img src="',
            "<img src='src=\"",
            "<!",
            "<p ==",
        ),
        *("<div></span>", "<script>", "</script>", "<a x=>", "<style><!--</style>", "&lt", "<h1>"),
        *("<div><style></div></style>", "<span><div></span>", "<table><div></td>", "<b></b>"),
    ],
)
def test_openings_without_an_end_take_time_in_proportion(piece: str) -> None:
    """Each was searched for its end to the end of the document: 100 KB took 21 seconds."""
    start = time.process_time()

    html("<div>\n" + piece * (200_000 // len(piece)))

    assert time.process_time() - start < 3


@pytest.mark.parametrize("around", ["{}", "<table><tr><td>{}</table>", "<svg><style>{}"])
@pytest.mark.parametrize("attribute", ["id", "title", "lang", "x"])
def test_open_bold_text_is_not_opened_again_a_thousand_times(around: str, attribute: str) -> None:
    """17 KB became 30 MB, and 480 MB of memory on the way."""
    bold = "".join(f"<b {attribute}={n}><i {attribute}={n}>" for n in range(180))
    source = around.format(f"<div>\n<p>{bold}{'<p>x' * 1_200}")

    assert len(html(source)) < 30 * len(source)


SOUP = st.lists(
    st.sampled_from(
        [
            *("<", ">", "/", "=", "'", '"', " ", "\n", "!", "--", "-", "<!--", "-->", "--!>", "a"),
            *("<b", "<p", "<a href", "<img src", "</b", "</", "<style>", "</style", "<script>"),
            *(
                "<textarea",
                "</textarea>",
                "<![CDATA[",
                "]]>",
                "<?x",
                "<math>",
                "<svg>",
                "id",
                "&lt;",
            ),
            *("x=", "<title>", "\0", "<h1>", "</h1>", "<table>", "<td>", "\t", "\f", "é"),
        ]
    ),
    max_size=30,
).map("".join)
NAMES = {"a", "b", "h1", "img", "math", "p", "svg", "table", "td"}


@settings(max_examples=500, deadline=None)
@example("<<!-- -->b id=0>")
@example('<a ="x>"><b y=c="><b>')
@given(SOUP)
def test_nothing_hides_from_the_walk_over_tags(soup: str) -> None:
    """What comes out holds the tags that were seen, and no others."""
    tokens = list(split(soup, names=NAMES, attributes={"id", "href", "src"}))
    out = "".join(map(str, tokens))

    again = list(split(out, names=NAMES, attributes={"id", "href", "src"}))

    tags = [str(token) for token in tokens if isinstance(token, Tag)]
    assert [str(token) for token in again if isinstance(token, Tag)] == tags
    assert "".join(map(str, again)) == out
    assert not any("<" in token for token in tokens if isinstance(token, str))


@pytest.mark.parametrize("slashes", ["/&#9;/", "/&#10;/", "&#9;//", "/&#13;&#10;/", "/&#9;\\"])
def test_two_slashes_with_something_unseen_between_them_lead_nowhere(slashes: str) -> None:
    rendered = html(f'<img src="{slashes}evil.com/p.png"> <a href="{slashes}evil.com">x</a>')

    assert "src" not in rendered
    assert "href" not in rendered or "evil.com" not in rendered.partition("href")[2].split(">")[0]


def test_colouring_ends_after_two_seconds_and_shows_the_rest_plain() -> None:
    blocks = "".join(f"```python\n{'(' * 60_000}\n```\n" for _ in range(12))
    start = time.process_time()

    rendered = html(blocks)

    assert time.process_time() - start < 6
    assert rendered.count("<pre") == 12


def test_too_deep_a_document_is_shown_as_its_text() -> None:
    rendered = html("<div>" * 500 + "**deep** <script>")

    assert rendered.startswith('<pre tabindex="0">&lt;div&gt;')
    assert "&lt;script&gt;" in rendered


def test_relative_links_lead_into_the_repository() -> None:
    place = Place("/datasets/zju/silk/blob/v1", "/datasets/zju/silk/resolve/v1", folder="docs/en")

    rendered = html("[a](use.md) ![b](../b.png) [c](../../../d)", place)

    assert 'href="/datasets/zju/silk/blob/v1/docs/en/use.md"' in rendered
    assert 'src="/datasets/zju/silk/resolve/v1/docs/b.png"' in rendered
    assert 'href="/datasets/zju/silk/blob/v1/d"' in rendered


def test_images_from_elsewhere_are_links() -> None:
    rendered = html(
        "![a](https://e.example/a.png) [![b](https://e.example/b.svg)](https://e.example)"
    )

    assert "<img" not in rendered
    assert '<a href="https://e.example/a.png"' in rendered
    assert '<a href="https://e.example" rel="nofollow noopener noreferrer ugc">b</a>' in rendered


def test_equal_headings_get_names_of_their_own() -> None:
    rendered = html("# A\n# A\n# A b 中")

    assert re.findall('id="([^"]*)"', rendered) == ["card-a", "card-a-1", "card-a-b-中"]


def test_emphasis_ends_at_chinese_punctuation() -> None:
    assert html("**重要。**然后") == "<p><strong>重要。</strong>然后</p>\n"


def test_code_is_coloured_line_by_line() -> None:
    lines = lines_of('a = """x\ny"""\n\n<b>\n', "python")

    assert len(lines) == 4
    assert lines[1] == '<span class="hl-s2">y"""</span>'
    assert "&lt;" in lines[3]


def test_unknown_code_is_escaped_and_kept() -> None:
    assert lines_of("<b>\r\n&", "") == ("&lt;b&gt;", "&amp;")


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("a/train.py", "python"),
        ("Dockerfile", "docker"),
        ("config.JSON", "json"),
        ("x.hpp", "cpp"),
        ("weights.safetensors", ""),
        ("README", ""),
    ],
)
def test_a_file_name_tells_the_language(name: str, language: str) -> None:
    assert language_of(name) == language
