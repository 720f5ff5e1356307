"""Repositories and people for the hub's tests, made through its own operations."""

from __future__ import annotations

from dataclasses import replace

from jishi.core.db import Tx
from jishi.hub import Draft, Repo, RepoKind
from jishi.hub.index import set_tags
from jishi.hub.lifecycle import create_repo
from jishi.people import OPERATOR, Actor, PersonDraft, Role, add_person
from jishi.people.access import load_actor
from jishi.people.orgs import OrgDraft, create_org, set_member

MODEL = RepoKind.MODEL


def put_repo(
    tx: Tx,
    actor: Actor,
    path: str,
    *,
    kind: RepoKind = MODEL,
    private: bool = False,
    tags: tuple[str, ...] = (),
) -> Repo:
    """Make a repository without commits."""
    namespace, _, name = path.partition("/")
    draft = Draft(kind, namespace, name)
    repo = create_repo(tx, actor, draft, namespace=namespace, private=private)
    set_tags(tx, repo.id, tags)
    return replace(repo, tags=tags)


def put_person(tx: Tx, name: str) -> Actor:
    person = add_person(tx, OPERATOR, PersonDraft(name))
    actor = load_actor(tx, person.id)
    assert actor is not None
    return actor


def put_org(tx: Tx, name: str, **members: Role) -> None:
    create_org(tx, OPERATOR, OrgDraft(name))
    for person, role in members.items():
        set_member(tx, OPERATOR, name, person, role)


def again(tx: Tx, actor: Actor) -> Actor:
    """Load an actor anew, after its roles changed."""
    loaded = load_actor(tx, actor.id)
    assert loaded is not None
    return loaded
