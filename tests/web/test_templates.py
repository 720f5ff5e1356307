"""Every template renders, escapes, keeps to the page policy and speaks one language."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from jishi.core.i18n import LOCALES
from jishi.web.templating import ENVIRONMENTS, render
from tests.web.samples import LIN, NOW, SAMPLES, in_locale

FRAMES = ("base.html", "parts/", "head.html", "_head.html", "hub/where.html", "hub/uses.html")
"""Templates that others are made of."""
VOID = {"area", "br", "hr", "img", "input", "link", "meta", "path", "rect", "wbr", "source"}


class Page(HTMLParser):
    """Reads a page the way a strict reader would."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.labelled: set[str] = set()
        self.feed(text)
        self.faults += [f"never closed: {tag}" for tag in self.open]
        self.faults += [f"twice: {name}" for name in self.ids if self.ids.count(name) > 1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.faults += [f"{tag} {name}" for name in named if name == "style" or name[:2] == "on"]
        if tag == "script" and not (named.get("src") or "").startswith("/static/"):
            self.faults.append("a script in the page")
        if tag == "img" and "alt" not in named:
            self.faults.append("an image without words")
        if named.get("id"):
            self.ids.append(named["id"] or "")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"closed out of turn: {tag}")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("name", SAMPLES)
def test_a_page_renders_and_keeps_to_the_policy(name: str, locale: str) -> None:
    template, page = SAMPLES[name]

    text = render(template, in_locale(page, locale))

    read = Page(text)
    assert read.faults == []
    assert read.headings.count(1) == 1
    assert f'<html lang="{locale}">' in text
    assert "None" not in re.sub("<[^>]*>", "", text)


def test_every_template_has_a_sample() -> None:
    shown = {template for template, _ in SAMPLES.values()}
    known = set(ENVIRONMENTS["en"].list_templates())

    left = {name for name in known - shown if not name.startswith("parts/")}
    assert {name for name in left if not name.endswith(FRAMES)} == set()


@pytest.mark.parametrize("name", sorted(ENVIRONMENTS["en"].list_templates()))
def test_a_template_says_in_its_first_line_what_it_shows(name: str) -> None:
    env = ENVIRONMENTS["en"]

    first = env.loader.get_source(env, name)[0].splitlines()[0]

    assert first.startswith("{#-")


@pytest.mark.parametrize("name", SAMPLES)
def test_a_chinese_page_has_no_english_chrome(name: str) -> None:
    template, page = SAMPLES[name]
    words = ("Sign ", "Settings", "ago", "Download", "repository", "Search", "private")

    text = render(template, in_locale(page, "zh-Hans"))

    seen = re.sub(
        r'(?s)<(pre|article|code)\b.*?</\1>|<[^>]*lang="en"[^>]*>[^<]*|<[^>]*>', " ", text
    )
    hostile = seen.replace("bad name! is not a valid repository name", "")
    assert [word for word in words if word in hostile] == []


def test_the_theme_is_written_by_the_server() -> None:
    template, page = SAMPLES["home"]

    text = render(template, in_locale(page, "en", "dark"))

    assert '<html lang="en" data-theme="dark">' in text


def test_what_people_typed_is_escaped() -> None:
    template, page = SAMPLES["search-nothing"]

    text = render(template, page)

    assert "<b>weft" not in text
    assert "&lt;b&gt;weft&lt;/b&gt;" in text


@pytest.mark.parametrize(
    ("size", "said"),
    [(0, "0 B"), (999, "999 B"), (1_000, "1 KB"), (1_540, "1.5 KB"), (999_600, "1 MB"),
     (855_233_026, "855 MB"), (2_200_000_000, "2.2 GB"), (10**19, "10,000 PB")],
)  # fmt: skip
def test_sizes_have_two_figures(size: int, said: str) -> None:
    assert ENVIRONMENTS["en"].filters["size"](size) == said


@pytest.mark.parametrize(
    ("locale", "count", "said"),
    [
        ("en", 9_999, "9,999"),
        ("en", 21_400, "21.4K"),
        ("zh-Hans", 21_400, "2.1万"),
        ("zh-Hans", 481_000_000, "4.8亿"),
    ],
)
def test_counts_are_short_from_ten_thousand(locale: str, count: int, said: str) -> None:
    assert ENVIRONMENTS[locale].filters["short"](count) == said


def test_instants_of_a_clock_that_runs_ahead_are_now() -> None:
    assert ENVIRONMENTS["en"].filters["ago"](NOW + 5_000_000, NOW) == "1 second ago"


def test_navigation_marks_where_we_are() -> None:
    template, page = SAMPLES["list"]

    assert '<a href="/models" aria-current="page">Models</a>' in render(template, page)
    assert LIN.way == ""
