"""From the plan to a hub with people and repositories in it.

Loading takes many transactions, and a process may be killed between any two.  A file in the data
folder says that it has begun; while it is there, the next start does the whole again, over what
it finds, and gives the people new passwords: nobody has seen the old ones.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Final

from jishi import hub
from jishi.app.banner import Login
from jishi.app.demo.plan import Demo, DemoOrganisation, DemoRepository, DemoStep, read_plan
from jishi.core.db import Tx
from jishi.core.hop import hop
from jishi.hub import Draft, Node, RepoKind, RepoMissing, Right
from jishi.hub.commits import Change, CommitDraft, PutFile, PutLarge
from jishi.hub.content import lfs
from jishi.hub.refs import create_branch, create_tag
from jishi.people import (
    OPERATOR,
    Actor,
    Credential,
    CredentialKind,
    PersonDraft,
    Role,
    accept_link,
    add_person,
    authenticate,
    find_namespace,
)
from jishi.people.links import make_link
from jishi.people.orgs import OrgDraft, create_org, set_member
from jishi.people.persons import has_people
from jishi.people.sessions import end_session

BEGUN: Final = "demo-unfinished"
PASSWORD_BYTES: Final = 9
"""12 characters to copy by hand, 72 bits."""
LARGE: Final = ".safetensors"
"""What the default ``.gitattributes`` keeps out of Git, as far as the demo has it."""


async def is_due(node: Node) -> bool:
    """Whether the folder is empty, or a start that was loading the demo did not end."""
    return (node.folder / BEGUN).exists() or not await node.db.read(has_people)


async def load_demo(node: Node) -> Sequence[Login]:
    """Load the demo and return who can sign in."""
    demo = await hop(node.pool, read_plan)
    begun = node.folder / BEGUN
    begun.touch(mode=0o600)
    await node.db.write(_add_people, demo)
    logins = [Login(each.name, secrets.token_urlsafe(PASSWORD_BYTES)) for each in demo.person]
    sessions = {login.name: await _open_session(node, login) for login in logins}
    actors = {name: await _actor(node, secret) for name, secret in sessions.items()}
    for organisation in demo.organisation:
        await node.db.write(_add_organisation, actors[organisation.admin], organisation)
    actors = {name: await _actor(node, secret) for name, secret in sessions.items()}
    for repository in demo.repository:
        await _load_repository(node, actors, repository)
    for secret in sessions.values():
        await node.db.write(end_session, secret)
    begun.unlink()
    return logins


def _add_people(tx: Tx, demo: Demo) -> None:
    for each in demo.person:
        if find_namespace(tx, each.name) is None:
            add_person(tx, OPERATOR, PersonDraft(each.name, each.full_name))


def _add_organisation(tx: Tx, admin: Actor, wanted: DemoOrganisation) -> None:
    if find_namespace(tx, wanted.name) is not None:
        return
    create_org(tx, admin, OrgDraft(wanted.name, wanted.full_name))
    for name in wanted.writers:
        set_member(tx, OPERATOR, wanted.name, name, Role.WRITE)


async def _open_session(node: Node, login: Login) -> str:
    """Choose the password as a person would: by the link of an invitation."""
    link = await node.db.write(make_link, OPERATOR, login.name)
    opened = await accept_link(node.gate, link.secret, login.password)
    return opened.secret


async def _actor(node: Node, session: str) -> Actor:
    return await node.db.read(authenticate, Credential(CredentialKind.SESSION, session))


async def _load_repository(
    node: Node, actors: Mapping[str, Actor], repository: DemoRepository
) -> None:
    """Create a repository and let its history happen."""
    kind = RepoKind(repository.kind)
    namespace, _, name = repository.path.partition("/")
    creator = actors[repository.step[0].by]
    await node.db.write(_remove, creator, kind, repository.path)
    await hub.create(node, creator, Draft(kind, namespace, name, private=False))
    for step in repository.step:
        await _take_step(node, actors[step.by], kind, repository.path, step)


def _remove(tx: Tx, actor: Actor, kind: RepoKind, path: str) -> None:
    """Remove what an unfinished load left."""
    try:
        hub.access_repo(tx, actor, kind, path, right=Right.WRITE)
    except RepoMissing:
        return
    hub.delete_repo(tx, actor, kind, path)


async def _take_step(node: Node, actor: Actor, kind: RepoKind, path: str, step: DemoStep) -> None:
    if step.branch:
        await create_branch(
            node, actor, kind, path, step.branch, start=step.on, is_empty=False, overwrite=False
        )
        return
    if step.tag:
        message = step.message or None
        await create_tag(node, actor, kind, path, step.tag, revision=step.on, message=message)
        return
    changes: list[Change] = []
    for place, source in step.sources().items():
        data = await hop(node.pool, source.read_bytes)
        if place.endswith(LARGE):
            changes.append(await _upload(node, actor, kind, path, place, data))
        else:
            changes.append(PutFile(place, data))
    draft = CommitDraft(step.commit, step.description, changes=tuple(changes))
    await hub.commit(node, actor, kind, path, step.on, draft)


async def _upload(
    node: Node, actor: Actor, kind: RepoKind, path: str, place: str, data: bytes
) -> PutLarge:
    """Bring one large file in by LFS, if its bytes are not here yet."""
    sha256 = hashlib.sha256(data).digest()
    wanted = lfs.Wanted(sha256, len(data))
    batch = await lfs.plan_upload(node, actor, kind, path, [wanted], offered=("basic",))
    sealed = batch.items[0].link
    if sealed is not None:
        link = await lfs.open_upload_link(node, sealed)
        with node.spool.new() as body:
            await hop(node.pool, body.write, data)
            await lfs.put_object(node, link, body, sha256)
    return PutLarge(place, sha256, len(data))
