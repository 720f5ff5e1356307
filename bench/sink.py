"""A hub that answers every upload route and stores nothing: ``python -m bench.sink``.

It runs on the same server as ours, reads every body to its end and forgets it, so what is left
of an upload's time is the client's own and the wire's.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

import uvloop
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from jishi.http.server import listen, run_server

OID = "0" * 39 + "1"


class Sink:
    """The routes ``hf upload`` of 2.4.0 takes."""

    def __init__(self, url: str) -> None:
        self.url = url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        path = scope["raw_path"].decode()
        if "/preupload/" in path:
            value = self.preupload(await request.json())
        else:
            async for _ in request.stream():
                pass
            value = self.answer(path)
        await value(scope, receive, send)

    def preupload(self, asked: dict[str, list[dict[str, str]]]) -> Response:
        files = [
            {"path": file["path"], "uploadMode": "lfs", "shouldIgnore": False}
            for file in asked["files"]
        ]
        return _json({"files": files})

    def answer(self, path: str) -> Response:
        if path == "/api/repos/create":
            return _json({"url": f"{self.url}/lin/sunk", "name": "lin/sunk", "id": "0" * 24})
        if "/xet-write-token/" in path:
            return self.token()
        if "/commit/" in path:
            url = f"{self.url}/lin/sunk/commit/{OID}"
            return _json({"success": True, "commitOid": OID, "commitUrl": url, "hookOutput": ""})
        for mark, value in (
            ("/xorbs/", {"was_inserted": True}),
            ("/v1/shards", {"result": 1}),
            ("/shards", None),
            ("/chunks/", None),
            ("/whoami", {"type": "user", "name": "lin", "auth": {"type": "access_token"}}),
        ):
            if mark in path:
                return Response(status_code=404) if value is None else _json(value)
        return _json({"id": "lin/sunk", "sha": OID, "siblings": [], "private": False})

    def token(self) -> Response:
        expires = int(time.time()) + 3600
        body = {"accessToken": "sink", "exp": expires, "casUrl": self.url}
        headers = {
            "X-Xet-Cas-Url": self.url,
            "X-Xet-Access-Token": "sink",
            "X-Xet-Token-Expiration": str(expires),
        }
        return _json(body, headers)


def _json(value: object, headers: dict[str, str] | None = None) -> Response:
    text = json.dumps(value)
    return Response(text, headers=headers, media_type="application/json")


async def main() -> None:
    """Print the address and serve until told to stop."""
    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()
    await run_server(Sink(url), [listener])


if __name__ == "__main__":
    asyncio.Runner(loop_factory=uvloop.new_event_loop).run(main())
