"""Language, theme, static files, errors, and forms of other sites."""

from __future__ import annotations

import asyncio
import gzip
import re

import pytest

from jishi.web.files import static_files
from tests.web.conftest import Visitor


def test_the_language_is_the_browsers_until_somebody_chooses(visitor: Visitor) -> None:
    chinese = ("accept-language", "zh-CN,zh;q=0.9")

    asked = visitor.get("/models?sort=likes", chinese).text
    chosen = visitor.get("/models?sort=likes&lang=en", chinese)
    kept = visitor.get("/models", chinese).text

    assert '<html lang="zh-Hans">' in asked
    assert 'href="/models?sort=likes&amp;lang=en"' in asked
    assert chosen.goes_to == "/models?sort=likes"
    assert '<html lang="en">' in kept


@pytest.mark.parametrize("tag", ["zh", "zh-CN", "zh-Hans", "zh_Hans", "ZH-tw"])
def test_a_language_may_be_asked_for_by_any_of_its_tags(visitor: Visitor, tag: str) -> None:
    assert visitor.get(f"/models?lang={tag}").goes_to == "/models"
    assert '<html lang="zh-Hans">' in visitor.get("/models").text
    assert visitor.get("/models?lang=en-GB").goes_to == "/models"
    assert '<html lang="en">' in visitor.get("/models").text


def test_the_theme_is_kept_in_a_cookie(visitor: Visitor) -> None:
    assert visitor.get("/?theme=dark").goes_to == "/"
    assert '<html lang="en" data-theme="dark">' in visitor.get("/").text
    assert 'href="/?theme=light"' in visitor.get("/").text


@pytest.mark.parametrize("target", ["/?lang=xx", "/?theme=pink", "/?lang="])
def test_choices_that_are_none_are_passed_over(visitor: Visitor, target: str) -> None:
    assert visitor.get(target).status == 200
    assert visitor.cookies == {}


def test_a_choice_leads_to_no_other_host(visitor: Visitor) -> None:
    assert visitor.get("//evil.example?lang=en").goes_to == "/evil.example"


def test_static_files_are_kept_for_ever_under_the_name_of_their_content(visitor: Visitor) -> None:
    folder = static_files().folder
    zipped = visitor.get(f"{folder}/jishi.css", ("accept-encoding", "gzip, br"))
    plain = visitor.get(f"{folder}/js/main.js")

    assert zipped.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert gzip.decompress(zipped.body).startswith(b"/* Icons")
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "content-encoding" not in plain.headers
    assert visitor.get("/static/000000000000/jishi.css").status == 404
    assert visitor.get(f"{folder}/../files.py").status == 404


def test_sheets_and_scripts_keep_within_the_budget() -> None:
    files = static_files().by_name
    scripts = sum(len(file.zipped) for name, file in files.items() if name.endswith(".js"))

    assert len(files["jishi.css"].zipped) < 25_000
    assert scripts < 5_000


def test_style_sheets_fetch_nothing_and_scripts_make_no_markup() -> None:
    files = static_files().by_name
    sheet = files["jishi.css"].plain.decode()
    scripts = "".join(file.plain.decode() for name, file in files.items() if name[-3:] == ".js")

    assert re.findall(r"url\((?!\"data:)", sheet) == []
    assert "@import" not in sheet
    for word in ("createPolicy", "innerHTML", "insertAdjacentHTML", "eval(", "document.write"):
        assert word not in scripts


def test_pages_carry_the_policy_and_vary(visitor: Visitor) -> None:
    answer = visitor.get("/", ("accept-encoding", "gzip"))

    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert answer.headers["vary"] == "Cookie, Accept-Language, Accept-Encoding"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "<!doctype html>" in answer.text


def test_a_form_of_another_site_is_refused_with_words(mei: Visitor, asgi) -> None:
    forged = Visitor(asgi, dict(mei.cookies))
    headers = (("origin", "http://evil.example"), ("sec-fetch-site", "cross-site"))

    answer = forged.get("/")
    assert answer.status == 200
    answer = _post(forged, "/settings/tokens", headers)

    assert answer.status == 403
    assert "This was not sent from a page of http://hub.test" in answer.said


def test_addresses_that_are_none_get_a_page_and_programs_get_json(visitor: Visitor) -> None:
    page, program = visitor.get("/a/b/c/d/e"), visitor.get("/api/nothing")

    assert (page.status, "There is no such page" in page.said) == (404, True)
    assert "may see" not in page.said
    assert program.status == 404
    assert program.headers["content-type"] == "application/json"


def test_what_is_only_read_says_so(lin: Visitor) -> None:
    answer = lin.post("/models")

    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD"


def _post(visitor: Visitor, target: str, headers):
    return asyncio.run(visitor.ask("POST", target, b"name=x", headers))
