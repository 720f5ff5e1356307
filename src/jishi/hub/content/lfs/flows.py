"""Bytes that travel by LFS.

An upload is prepared (a link), arrives, and is settled: the object lies in the store before
its row says so, and a crash in between leaves an object that nobody names.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import ClassVar

import msgspec

from jishi.core.errors import Kind, Refusal
from jishi.core.hop import hop
from jishi.core.i18n import N_
from jishi.hub.content import contents
from jishi.hub.content.contents import Content
from jishi.hub.content.flows import source_of
from jishi.hub.content.lfs import transfers, uploads
from jishi.hub.content.lfs.transfers import Batch, Item, Link, Purpose, Ticket, Transfer, Wanted
from jishi.hub.content.lfs.uploads import Upload, UploadGone
from jishi.hub.node import Node
from jishi.hub.repos import RepoKind, Right
from jishi.people import Actor
from jishi.storage import ObjectMissing, Source, SpoolFile


class WrongSize(Refusal):
    """More or fewer bytes arrived than were promised."""

    code: ClassVar[str] = "hub.upload_wrong_size"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("{received} bytes arrived instead of {size}. Nothing was kept.")


class WrongDigest(Refusal):
    """The bytes that arrived are others than were promised."""

    code: ClassVar[str] = "hub.upload_wrong_digest"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_(
        "The SHA-256 of the bytes that arrived is {computed}, not {sha256}. Nothing was kept."
    )


async def plan_upload(
    node: Node,
    actor: Actor,
    kind: RepoKind,
    path: str,
    wanted: Sequence[Wanted],
    *,
    offered: Collection[str],
) -> Batch:
    """Say for each object whether it has to come, and make the links for it.

    Args:
        offered: Transfers the client can do, in the protocol's words.

    Raises:
        BatchTooLarge: As ``look_up``, like the following.
        RepoElsewhere: See above.
        RepoMissing: See above.
        SignInNeeded: See above.
        ReadOnlyToken: See above.
        Denied: See above.
    """
    repo, found, now = await node.db.read(transfers.look_up, actor, kind, path, wanted, Right.WRITE)
    items = [transfers.judge_upload(item, found.get(item.sha256)) for item in wanted]
    transfer = transfers.choose_transfer(offered, items)
    until = transfers.upload_ends(now)

    if transfer is Transfer.MULTIPART:
        items = transfers.bound_parts(items)
    coming = [n for n, item in enumerate(items) if not item.is_here and item.refusal is None]
    opened: list[Upload] = []
    if transfer is Transfer.MULTIPART:
        pairs = [(items[n].wanted.sha256, items[n].wanted.size) for n in coming]
        opened, ended = await node.db.write(
            uploads.open_uploads, repo.id, pairs, uploaded_by=actor.public_id
        )
        for name in ended:
            async with node.assembly.turn(name):  # somebody may be writing to it
                node.assembly.forget(name)
    for n, upload in zip_longest(coming, opened):
        if transfer is not Transfer.XET:
            ticket = transfers.write_ticket(repo, actor, items[n].wanted, until)
            items[n] = _with_links(node, items[n], ticket, upload)
    return Batch(repo, transfer, tuple(items))


async def plan_download(
    node: Node, actor: Actor, kind: RepoKind, path: str, wanted: Sequence[Wanted]
) -> Batch:
    """Make a link for each object that some revision of the repository has.

    Raises:
        BatchTooLarge: As ``look_up``, like the following.
        RepoElsewhere: See above.
        RepoMissing: See above.
    """
    repo, found, now = await node.db.read(transfers.look_up, actor, kind, path, wanted, Right.READ)
    until = transfers.download_ends(now)
    items = []
    for want in wanted:
        item = transfers.judge_download(want, found.get(want.sha256))
        if item.is_here:
            ticket = transfers.write_ticket(repo, actor, want, until)
            seal = transfers.seal_link(node.keys, Purpose.GET, ticket)
            item = replace(item, link=seal)
        items.append(item)
    return Batch(repo, Transfer.BASIC, tuple(items))


async def open_upload_link(node: Node, sealed: str) -> Link:
    """Check a link for whole objects, before their bytes are asked for.

    Raises:
        LinkInvalid: If it is not good.
    """
    return await node.db.read(transfers.open_link, node.keys, Purpose.PUT, sealed)


async def put_object(node: Node, link: Link, body: SpoolFile, sha256: bytes) -> None:
    """Keep an object that arrived whole.

    Args:
        sha256: Computed over ``body``.

    Raises:
        WrongSize: If other bytes were promised; as the next, nothing is kept then.
        WrongDigest: See above.
        DiskFull: If there is no room.
    """
    ticket = link.ticket
    _insist_on_size(body.size, ticket.size)
    _insist_on_digest(sha256, ticket.sha256)
    await _keep(node, sha256, body.path)
    await node.db.write(
        contents.register_plain, link.repo_id, sha256, size=body.size, uploaded_by=ticket.by
    )


async def open_part_link(node: Node, sealed: str, number: int) -> tuple[Upload, int]:
    """Check a link for a part; return its upload and how many bytes the part has.

    Raises:
        LinkInvalid: If it is not good.
        UploadGone: If the upload has ended.
        NoSuchPart: If the upload has fewer parts.
    """
    link = await node.db.read(transfers.open_link, node.keys, Purpose.PARTS, sealed)
    upload = await node.db.read(uploads.get_upload, link.ticket.upload)
    start, end = upload.span(number)
    return upload, end - start


async def put_part(node: Node, upload: Upload, number: int, body: SpoolFile) -> str:
    """Keep a part; it survives whatever happens to this process.

    The same part again changes nothing.  Returns the part's entity tag.

    Raises:
        NoSuchPart: If the upload has fewer parts.
        WrongSize: If the part is cut or too long.
        UploadGone: If the upload has ended meanwhile.
        DiskFull: If there is no room.
    """
    name = upload.public_id
    start, end = upload.span(number)
    _insist_on_size(body.size, end - start)
    async with node.assembly.turn(name):
        if not await node.db.read(uploads.has_part, name, number):
            hashed = await node.assembly.write(name, start, body)
            await node.db.write(uploads.note_part, upload, number)
            node.assembly.trust(name, hashed)
    return f"{name}-{number}"


async def complete_upload(node: Node, sealed: str, sha256: bytes) -> None:
    """Make a content of the parts; doing it again changes nothing.

    Raises:
        LinkInvalid: If the link is not good, or for another object than ``sha256``.
        UploadGone: If the upload has ended without becoming a content.
        PartsMissing: If parts have not arrived.
        WrongDigest: If the bytes are others than promised; the upload has ended then.
        DiskFull: If there is no room.
    """
    link = await node.db.read(transfers.open_link, node.keys, Purpose.PARTS, sealed)
    ticket = link.ticket
    if sha256 != ticket.sha256:
        raise transfers.LinkInvalid
    async with node.assembly.turn(ticket.upload):
        try:
            upload = await node.db.read(uploads.review_upload, ticket.upload)
        except UploadGone:
            known = await node.db.read(contents.find, link.repo_id, sha256)
            if known is None or known.is_blocked or known.size != ticket.size:
                raise
            return
        if not upload.is_verified:
            await _verify_upload(node, upload)
        try:
            await _keep(node, sha256, node.assembly.path(upload.public_id))
        except FileNotFoundError:  # moved into the store before a crash
            await _insist_on_object(node, upload)
        await node.db.write(uploads.settle_upload, upload)
        node.assembly.forget(upload.public_id)


async def open_download(node: Node, sealed: str) -> tuple[Content, Source]:
    """Return the content a link is for, and its bytes.

    Raises:
        LinkInvalid: If the link is not good.
        ObjectMissing: If the repository lost the content meanwhile.
        ContentMismatch: If it is blocked.
    """
    content = await node.db.read(transfers.read_object, node.keys, sealed)
    return content, await source_of(node, content)


async def sweep_uploads(node: Node) -> None:
    """End uploads that expired, and remove files that no upload owns."""
    while names := await node.db.write(uploads.drop_expired):
        for name in names:
            node.assembly.forget(name)
    left_over = await hop(node.pool, list, node.assembly.names())
    for name in await node.db.read(uploads.list_unknown, left_over):
        node.assembly.forget(name)


def _with_links(node: Node, item: Item, ticket: Ticket, upload: Upload | None) -> Item:
    check = transfers.seal_link(node.keys, Purpose.VERIFY, ticket)
    if upload is None:
        link = transfers.seal_link(node.keys, Purpose.PUT, ticket)
    else:
        parts = msgspec.structs.replace(ticket, upload=upload.public_id)
        link = transfers.seal_link(node.keys, Purpose.PARTS, parts)
    return replace(item, link=link, check=check, upload=upload)


async def _verify_upload(node: Node, upload: Upload) -> None:
    try:
        computed = await node.assembly.digest(upload.public_id, upload.size)
        _insist_on_digest(computed, upload.sha256)
    except (FileNotFoundError, EOFError) as error:  # somebody removed it from the disk
        await _discard(node, upload)
        raise UploadGone from error
    except WrongDigest:
        await _discard(node, upload)
        raise
    if upload.size == 0:
        node.assembly.path(upload.public_id).touch()
    await node.db.write(uploads.note_verified, upload)


async def _discard(node: Node, upload: Upload) -> None:
    await node.db.write(uploads.drop_upload, upload.public_id)
    node.assembly.forget(upload.public_id)


async def _keep(node: Node, sha256: bytes, path: Path) -> None:
    """Move a file that has this digest into the store, unless its bytes are there already."""
    known = await node.db.read(contents.find_digest, sha256)
    if known is None or (known.plain_key is None and known.xet_file_id is None):
        await hop(node.pool, node.store.put, contents.plain_key(sha256), path)


async def _insist_on_object(node: Node, upload: Upload) -> None:
    try:
        await hop(node.pool, node.store.size, contents.plain_key(upload.sha256))
    except ObjectMissing as error:
        await _discard(node, upload)
        raise UploadGone from error


def _insist_on_size(received: int, size: int) -> None:
    if received != size:
        raise WrongSize(received=received, size=size)


def _insist_on_digest(computed: bytes, sha256: bytes) -> None:
    if computed != sha256:
        raise WrongDigest(computed=computed.hex(), sha256=sha256.hex())
