"""Git LFS: batches, bytes whole and in parts, confirmation.

Specifications: git-lfs ``docs/api``; ``hf-hub-api.md`` §4.4 for what the clients of the HF
dialect add: transfers ``multipart`` and ``xet``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Annotated, ClassVar, Final, Literal
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from jishi.core.errors import Kind, Refusal
from jishi.core.hop import hop
from jishi.core.i18n import N_
from jishi.http import (
    Context,
    Route,
    Saying,
    answer_bytes,
    context_of,
    header_text,
    read_json,
    say,
    speaking,
    spool_body,
    user_content,
)
from jishi.hub import RepoKind, cas
from jishi.hub.content import lfs
from jishi.hub.content.lfs import Batch, Item, Transfer, Wanted

MEDIA_TYPE: Final = "application/vnd.git-lfs+json"
PREFIX: Final = {RepoKind.MODEL: "", RepoKind.DATASET: "datasets/", RepoKind.SPACE: "spaces/"}
HASHES: Final = {"sha256", "sha_256"}
"""The second one is what the JavaScript client says."""

SAYINGS: Final[Mapping[str, Saying]] = {
    "hub.repo_missing": Saying(404, "RepoNotFound", anonymous=401),
    "hub.batch_too_large": Saying(413),
    "hub.object_too_large": Saying(422),
    "hub.too_many_parts": Saying(413),
    "hub.size_differs": Saying(422),
    "hub.upload_wrong_size": Saying(422),
    "hub.upload_wrong_digest": Saying(422),
    "hub.upload_no_part": Saying(422),
    "hub.upload_incomplete": Saying(422),
    "http.bad_body": Saying(422),
    "storage.full": Saying(507),
    "wire.lfs_hash": Saying(409),
    "wire.lfs_no_locks": Saying(404),
}
"""Our codes in the dialect's numbers; an object of a batch has the same ones."""

UNAUTHENTICATED: Final = 401
NUMBER_DIGITS_MAX: Final = 5

Handler = Callable[[Request], Awaitable[Response]]
OID = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
SIZE = Annotated[int, msgspec.Meta(ge=0, lt=1 << 62)]


class UnknownHash(Refusal):
    """The client names objects by another hash."""

    code: ClassVar[str] = "wire.lfs_hash"
    kind: ClassVar[Kind] = Kind.CONFLICT
    text: ClassVar[str] = N_("Objects are named by their SHA-256 here.")


class NoLocks(Refusal):
    """Locks are not offered; git-lfs then goes on without."""

    code: ClassVar[str] = "wire.lfs_no_locks"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_("File locking is not available here.")


class ObjectBody(msgspec.Struct):
    """An object, as batches and confirmations name it."""

    oid: OID
    size: SIZE

    def to_wanted(self) -> Wanted:
        """Translate into the hub's terms."""
        return Wanted(bytes.fromhex(self.oid), self.size)


class RefBody(msgspec.Struct):
    """Where the client is: a branch, with or without ``refs/heads/``."""

    name: str = "main"


class BatchBody(msgspec.Struct):
    """``POST …/info/lfs/objects/batch``."""

    operation: Literal["upload", "download"]
    objects: list[ObjectBody]
    transfers: list[str] = msgspec.field(default_factory=lambda: ["basic"])
    ref: RefBody | None = None
    hash_algo: str = "sha256"


class CompleteBody(msgspec.Struct):
    """``POST`` to the link of an upload in parts; the parts it lists are known here."""

    oid: OID


async def batch(request: Request) -> Response:
    """``POST /{W}{id}.git/info/lfs/objects/batch``."""
    context = context_of(request)
    body = await read_json(request, BatchBody)
    if body.hash_algo not in HASHES:
        raise UnknownHash
    wanted = [item.to_wanted() for item in body.objects]
    place = (context.node, context.actor, _kind(request), _path(request), wanted)
    if body.operation == "download":
        plan = await lfs.plan_download(*place)
    else:
        plan = await lfs.plan_upload(*place, offered=body.transfers)
    revision = (body.ref or RefBody()).name.removeprefix("refs/heads/")
    links = Links(context, plan, revision)
    if plan.transfer is Transfer.XET and any(not item.is_here for item in plan.items):
        links.xet_header = await _xet_header(context, plan)
    render = links.download if body.operation == "download" else links.upload
    # In a thread: it may be thousands of links.
    answer = await hop(context.node.pool, links.answer, plan, render)
    return Response(answer, media_type=MEDIA_TYPE)


async def put_object(request: Request) -> Response:
    """``PUT`` of a whole object to the link its batch gave."""
    node = context_of(request).node
    link = await lfs.open_upload_link(node, request.path_params["seal"])
    size = link.ticket.size
    with await spool_body(request, node.spool, bytes_max=size, sha256=True) as body:
        await lfs.put_object(node, link, body.file, body.sha256)
    return Response(status_code=200)


async def put_part(request: Request) -> Response:
    """``PUT`` of a part; clients need an entity tag and send it back at the end."""
    node = context_of(request).node
    seal, number = request.path_params["seal"], request.path_params["number"]
    if not number.isdecimal() or len(number) > NUMBER_DIGITS_MAX:
        raise lfs.LinkInvalid
    upload, size = await lfs.open_part_link(node, seal, int(number))
    with await spool_body(request, node.spool, bytes_max=size) as body:
        tag = await lfs.put_part(node, upload, int(number), body.file)
    return Response(status_code=200, headers={"ETag": f'"{tag}"'})


async def complete(request: Request) -> Response:
    """``POST`` after the last part; clients repeat it."""
    body = await read_json(request, CompleteBody)
    node, seal = context_of(request).node, request.path_params["seal"]
    await lfs.complete_upload(node, seal, bytes.fromhex(body.oid))
    return _reply({"success": True})


async def verify(request: Request) -> Response:
    """``POST`` after an upload: did it arrive?"""
    context = context_of(request)
    body = await read_json(request, ObjectBody)
    seal = request.path_params["seal"]
    await context.db.read(lfs.check_object, context.node.keys, seal, body.to_wanted())
    return _reply({"oid": body.oid, "size": body.size})


async def get_object(request: Request) -> Response:
    """``GET`` of an object from the link its batch gave."""
    node = context_of(request).node
    content, source = await lfs.open_download(node, request.path_params["seal"])
    name = content.sha256.hex()
    headers = {**user_content(name, download=True), "ETag": f'"{name}"'}
    return answer_bytes(request, source, headers=headers)


async def locks(_request: Request) -> Response:
    """Any address of the locking API."""
    raise NoLocks


def refuse(refusal: Refusal, context: Context) -> Response:
    """Answer a refusal as git-lfs shows it, and as the Python client does."""
    if refusal.code == "hub.repo_elsewhere":
        return _redirect(refusal, context)
    said = say(SAYINGS, refusal, context)
    headers = {"X-Error-Message": header_text(refusal)}
    if said.word:
        headers["X-Error-Code"] = said.word
    if said.status == UNAUTHENTICATED:
        headers |= dict.fromkeys(("LFS-Authenticate", "WWW-Authenticate"), 'Basic realm="Jishi"')
    body = {"message": said.text, "request_id": context.request_id}
    return _reply(body, status=said.status, headers=headers)


class Links:
    """The addresses of one batch's answer."""

    def __init__(self, context: Context, plan: Batch, revision: str) -> None:
        self._context = context
        self._transfer = plan.transfer
        path = f"{PREFIX[plan.repo.kind]}{plan.repo.path}"
        self._lfs = f"{context.base}/{path}.git/info/lfs"
        api = f"{context.base}/api/{plan.repo.kind}s/{plan.repo.path}"
        self.xet_header: dict[str, str] = {}
        self._xet = f"{api}/xet-write-token/{quote(revision, safe='')}"

    def answer(self, plan: Batch, actions: Callable[[Item], dict[str, object]]) -> bytes:
        """Return the whole answer."""
        objects = [self._render(item, actions) for item in plan.items]
        return msgspec.json.encode(
            {"transfer": plan.transfer, "objects": objects, "hash_algo": "sha256"}
        )

    def _render(
        self, item: Item, actions: Callable[[Item], dict[str, object]]
    ) -> dict[str, object]:
        """Return one object of the answer."""
        known: dict[str, object] = {"oid": item.wanted.sha256.hex(), "size": item.wanted.size}
        if item.refusal is not None:
            said = say(SAYINGS, item.refusal, self._context)
            return {**known, "error": {"code": said.status, "message": said.text}}
        found = actions(item)
        return {**known, "authenticated": True, "actions": found} if found else known

    def download(self, item: Item) -> dict[str, object]:
        """Return where the bytes of an object are."""
        href = f"{self._lfs}/objects/{item.link}"
        return {"download": {"href": href, "expires_in": lfs.DOWNLOAD_SECONDS}}

    def upload(self, item: Item) -> dict[str, object]:
        """Return where the bytes of an object go; nothing if they are here."""
        if item.is_here:
            return {}
        if self._transfer is Transfer.XET:
            return {"upload": {"href": self._xet, "header": self.xet_header}}
        verify = {"href": f"{self._lfs}/verify/{item.check}", "expires_in": lfs.UPLOAD_SECONDS}
        if item.upload is None:
            href, header = f"{self._lfs}/objects/{item.link}", {}
        else:
            href = f"{self._lfs}/uploads/{item.link}"
            header = _parts(href, item.upload)
        upload = {"href": href, "header": header, "expires_in": lfs.UPLOAD_SECONDS}
        return {"upload": upload, "verify": verify}


async def _xet_header(context: Context, plan: Batch) -> dict[str, str]:
    """Return the first pass to the store of chunks: ``git-xet`` asks for it only to renew it."""
    repo = plan.repo
    token = await cas.issue_token(context.node, context.actor, repo.kind, repo.path, writes=True)
    return {
        "X-Xet-Cas-Url": context.base + token.path,
        "X-Xet-Access-Token": token.access_token,
        "X-Xet-Token-Expiration": str(token.exp),
    }


def _parts(href: str, upload: lfs.Upload) -> dict[str, str]:
    """Return the header of an upload in parts: numbers padded, nothing else in it.

    The transfer program of git-lfs takes every other value for the address of a part, in the
    order of the keys as text.
    """
    header = {"chunk_size": str(upload.part_bytes)}
    for number in range(1, upload.parts + 1):
        header[f"{number:05d}"] = f"{href}/{number}"
    return header


def _redirect(refusal: Refusal, context: Context) -> Response:
    old, new = refusal.facts["old"], refusal.facts["path"]
    target = context.target.replace(f"/{old}.git/", f"/{new}.git/", 1)
    return Response(status_code=307, headers={"Location": "/" + target.lstrip("/")})


def _reply(
    value: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    return Response(msgspec.json.encode(value), status, headers, media_type=MEDIA_TYPE)


def _kind(request: Request) -> RepoKind:
    kind: RepoKind = request.scope["repo_kind"]
    return kind


def _path(request: Request) -> str:
    return f"{request.path_params['ns']}/{request.path_params['name']}"


def _routes() -> Iterator[Route]:
    for kind in RepoKind:
        root = f"/{PREFIX[kind]}{{ns}}/{{name}}.git/info/lfs"
        for methods, rest, handler in (
            ("POST", "/objects/batch", batch),
            ("PUT", "/objects/{seal}", put_object),
            ("GET", "/objects/{seal}", get_object),
            ("PUT", "/uploads/{seal}/{number}", put_part),
            ("POST", "/uploads/{seal}", complete),
            ("POST", "/verify/{seal}", verify),
            ("GET POST", "/locks", locks),
            ("GET POST", "/locks/{rest...}", locks),
        ):
            yield Route(methods, root + rest, speaking(refuse, _of(kind, handler)))


def _of(kind: RepoKind, handler: Handler) -> Handler:
    async def answer(request: Request) -> Response:
        request.scope["repo_kind"] = kind
        return await handler(request)

    return answer


ROUTES: Final = tuple(_routes())
