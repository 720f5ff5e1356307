"""What people uploaded is never a page of ours."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jishi.http import header_text, user_content
from jishi.http.body import BadBody


@pytest.mark.parametrize(
    ("name", "media_type", "disposition"),
    [
        ("a/README.md", "text/plain; charset=utf-8", "inline"),
        ("config.json", "text/plain; charset=utf-8", "inline"),
        ("page.HTML", "text/plain; charset=utf-8", "attachment"),
        ("x.xhtml", "text/plain; charset=utf-8", "attachment"),
        ("pic.svg", "image/svg+xml", "inline"),
        ("pic.PNG", "image/png", "inline"),
        ("paper.pdf", "application/pdf", "attachment"),
        ("model.safetensors", "application/octet-stream", "attachment"),
        (".gitattributes", "text/plain; charset=utf-8", "inline"),
        ("LICENSE", "text/plain; charset=utf-8", "inline"),
        ("unknown", "application/octet-stream", "attachment"),
    ],
)
def test_types_and_dispositions(name: str, media_type: str, disposition: str) -> None:
    headers = user_content(name)

    assert headers["Content-Type"] == media_type
    assert headers["Content-Disposition"].startswith(f"{disposition};")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("sandbox;")


def test_downloads_are_attachments_and_text_may_be_known() -> None:
    assert user_content("a.md", download=True)["Content-Disposition"].startswith("attachment")
    assert user_content("notes", text=True)["Content-Type"].startswith("text/plain")
    assert user_content("a.zip", text=True)["Content-Type"] == "application/zip"
    assert user_content("a", public=True)["Cross-Origin-Resource-Policy"] == "cross-origin"


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1))
def test_any_name_fits_into_the_header_and_clients_find_it(name: str) -> None:
    text = user_content(name)["Content-Disposition"]

    assert text.isascii()
    assert text.isprintable()
    assert re.search(r'filename="(.*?)";', text)
    encoded = re.search(r"filename\*=UTF-8''([^;]*);", text)
    assert encoded
    assert unquote(encoded[1]) == name or name in (".", "..")


def test_a_header_carries_any_reason_in_printable_ascii() -> None:
    text = header_text(BadBody(problem="坏\r\nX-Evil: 1" + "x" * 1000))

    assert text.isascii()
    assert text.isprintable()
    assert len(text) <= 300
