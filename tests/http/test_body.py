"""Bodies in memory: JSON, forms, gzip; each with a bound."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from urllib.parse import urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from jishi.http import BadBody, BodyTooLarge, read_form, read_json, unzipped
from jishi.http.body import GROUP_BYTES, groups


class Shape(msgspec.Struct):
    name: str
    count: int = 0


def posted(*pieces: bytes, headers: dict[str, str] | None = None) -> Request:
    messages = [
        {"type": "http.request", "body": piece, "more_body": index < len(pieces)}
        for index, piece in enumerate(pieces, 1)
    ] or [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive():
        return messages.pop(0)

    raw = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, receive)


def test_json_becomes_its_shape() -> None:
    assert asyncio.run(read_json(posted(b'{"na', b'me": "x"}'), Shape)) == Shape("x")


DEEP = b'{"name": "x", "more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"name": 5}', b"\xff", b"[" * 100_000, DEEP], ids=range(7)
)
def test_what_is_not_the_shape_is_a_bad_body(body: bytes) -> None:
    with pytest.raises(BadBody):
        asyncio.run(read_json(posted(body), Shape))


def test_a_body_is_refused_when_it_is_announced_or_grows_too_large() -> None:
    announced = posted(headers={"content-length": "11"})
    grown = posted(b"12345", b"678901")

    for request in (announced, grown):
        with pytest.raises(BodyTooLarge):
            asyncio.run(read_json(request, Shape, bytes_max=10))


@given(st.dictionaries(st.text(min_size=1), st.lists(st.text(), min_size=1)))
def test_forms_come_back_with_all_values(form: dict[str, list[str]]) -> None:
    assert asyncio.run(read_form(posted(urlencode(form, doseq=True).encode()))) == form


def test_what_is_no_form_is_a_bad_body() -> None:
    for body in (b"a=%FF", b"\xff=1", b"&".join([b"a=b"] * 30_000)):
        with pytest.raises(BadBody):
            asyncio.run(read_form(posted(body)))


async def collect(zipped: bytes, *, step: int = 1000, bytes_max: int = 1 << 30) -> list[bytes]:
    async def pieces():
        for start in range(0, len(zipped), step):
            yield zipped[start : start + step]

    return [piece async for piece in unzipped(pieces(), bytes_max=bytes_max)]


@given(st.binary(max_size=5000), st.integers(1, 5000))
def test_gzip_bodies_come_out_as_they_were(plain: bytes, step: int) -> None:
    assert b"".join(asyncio.run(collect(gzip.compress(plain), step=step))) == plain


def test_a_gzip_bomb_comes_in_bounded_pieces_and_is_refused() -> None:
    bomb = gzip.compress(b"\0" * (64 << 20))

    assert max(map(len, asyncio.run(collect(bomb, step=1 << 20)))) <= GROUP_BYTES
    with pytest.raises(BodyTooLarge):
        asyncio.run(collect(bomb, step=1 << 20, bytes_max=10 << 20))


@pytest.mark.parametrize(
    "broken", [b"nonsense", gzip.compress(b"x" * 999, mtime=0)[:-9], zlib.compress(b"x")]
)
def test_what_is_not_gzip_is_a_bad_body(broken: bytes) -> None:
    with pytest.raises(BadBody):
        asyncio.run(collect(broken))


def test_groups_hold_about_a_mebibyte() -> None:
    async def sizes() -> list[int]:
        request = posted(*[b"x" * 250_000] * 11)
        return [sum(map(len, group)) async for group in groups(request, bytes_max=1 << 30)]

    assert asyncio.run(sizes()) == [1_250_000, 1_250_000, 250_000]
