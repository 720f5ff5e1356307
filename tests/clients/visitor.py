"""Somebody with a browser that has no script: reads pages, fills forms, keeps cookies."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from pathlib import Path

from typing_extensions import override


class _Forms(HTMLParser):
    """Collects forms with their fields, and the text of ``<code>`` in notes."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.codes: list[str] = []
        self._in_code = False

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        facts = {key: value or "" for key, value in attrs}
        if tag == "form":
            self.forms.append((facts.get("action", ""), {}))
        elif tag == "input" and self.forms and facts.get("name"):
            is_choice = facts.get("type") in {"radio", "checkbox"}
            if not is_choice or "checked" in facts:
                self.forms[-1][1][facts["name"]] = facts.get("value", "")
        elif tag == "code":
            self.codes.append("")
            self._in_code = True

    @override
    def handle_endtag(self, tag: str) -> None:
        self._in_code = self._in_code and tag != "code"

    @override
    def handle_data(self, data: str) -> None:
        if self._in_code:
            self.codes[-1] += data


@dataclass(frozen=True)
class Page:
    """One answer."""

    url: str
    text: str

    def codes(self) -> list[str]:
        """Return what stands in ``<code>``, in order."""
        parser = _Forms()
        parser.feed(self.text)
        return parser.codes

    def form(self, field_name: str) -> tuple[str, dict[str, str]]:
        """Return address and fields of the form that has a field of this name."""
        parser = _Forms()
        parser.feed(self.text)
        action, fields = next(each for each in parser.forms if field_name in each[1])
        return urllib.parse.urljoin(self.url, action), fields


@dataclass
class Visitor:
    """Opens pages of one site."""

    site: str
    _cookies: CookieJar = field(default_factory=CookieJar)

    def open(self, path: str) -> Page:
        """Follow a link."""
        return self._ask(urllib.request.Request(urllib.parse.urljoin(self.site, path)))

    def send(self, page: Page, **values: str) -> Page:
        """Fill the form that has the last of these fields, and send it."""
        action, fields = page.form(list(values)[-1])
        body = urllib.parse.urlencode({**fields, **values}).encode()
        request = urllib.request.Request(action, data=body, headers={"Origin": self.site})
        return self._ask(request)

    def _ask(self, request: urllib.request.Request) -> Page:
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self._cookies))
        with opener.open(request, timeout=30) as answer:
            return Page(answer.url, answer.read().decode())


def choose_password_and_token(link: str) -> str:
    """Come by an invitation link, choose a password, and return a new token that may write."""
    site = "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(link))
    visitor = Visitor(site)
    visitor.send(visitor.open(link), password="correct horse battery")
    page = visitor.send(visitor.open("/settings/tokens"), role="write", name="laptop")
    return next(code for code in page.codes() if code.startswith("hf_"))


def choose_within(words: tuple[str, ...], link: str) -> str:
    """Do the same from where ``words`` lead, such as another network namespace."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [*words, sys.executable, "-m", "tests.clients.visitor", link],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=root,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    token: str = json.loads(done.stdout)
    return token


if __name__ == "__main__":
    sys.stdout.write(json.dumps(choose_password_and_token(sys.argv[1])))
