"""Who is asking: once per request, with a short memory."""

from __future__ import annotations

import asyncio

import pytest

from jishi.people import (
    NOBODY,
    OPERATOR,
    Credential,
    CredentialKind,
    Role,
    flush_uses,
    identify,
)
from jishi.people.access import TokenRevoked, TokenUnknown
from jishi.people.actors import AdminNeeded
from jishi.people.gate import USES_MAX
from jishi.people.memory import KEPT_MAX, KEPT_SECONDS, Memory
from jishi.people.orgs import OrgDraft, create_org, set_member
from jishi.people.persons import OwnAccount, PersonInactive, get_person, set_active
from jishi.people.tokens import TokenRole, create_token, list_tokens, revoke_token
from tests.people.folk import Ticker, add, gate_of, in_one

FOREIGN = Credential(CredentialKind.TOKEN, "hf_" + "x" * 34)


def asked(gate, credential, *, reads_only=True):
    return asyncio.run(identify(gate, credential, reads_only=reads_only))


@pytest.fixture
def mei(db):
    return in_one(db, add, "mei")


@pytest.fixture
def token(db, mei):
    minted = in_one(db, create_token, mei, name="laptop", role=TokenRole.WRITE)
    return Credential(CredentialKind.TOKEN, minted.secret)


def test_without_a_credential_nobody_is_asking(db) -> None:
    assert asked(gate_of(db), None).actor is NOBODY


def test_a_foreign_token_is_refused_or_passed_over_as_the_operator_says(db) -> None:
    with pytest.raises(TokenUnknown):
        asked(gate_of(db), FOREIGN)
    open_gate = gate_of(db, foreign_tokens="anonymous")

    identity = asked(open_gate, FOREIGN)

    assert identity.actor is NOBODY
    assert identity.foreign
    with pytest.raises(TokenUnknown):
        asked(open_gate, FOREIGN, reads_only=False)


def test_what_cannot_be_an_access_token_is_not_looked_up(db) -> None:
    gate = gate_of(db)
    gate.db = None

    with pytest.raises(TokenUnknown):
        asked(gate, Credential(CredentialKind.TOKEN, "a token of something else"))


def test_our_own_revoked_token_is_refused_whatever_the_operator_says(db, mei, token) -> None:
    gate = gate_of(db, foreign_tokens="anonymous")
    asked(gate, token)
    in_one(db, revoke_token, mei, in_one(db, list_tokens, mei)[0].public_id)

    with pytest.raises(TokenRevoked):
        asked(gate, token)


def test_a_change_in_this_process_is_seen_at_once(db, token) -> None:
    gate = gate_of(db)
    in_one(db, create_org, OPERATOR, OrgDraft("acme"))
    assert asked(gate, token).actor.role_in("acme") is None

    in_one(db, set_member, OPERATOR, "acme", "mei", Role.READ)

    assert asked(gate, token).actor.role_in("acme") is Role.READ


def test_a_change_by_another_process_is_seen_in_a_few_seconds(db, token) -> None:
    ticker = Ticker()
    gate = gate_of(db, ticker)
    asked(gate, token)
    with db.begin("write") as tx:  # as another process would: its commit tells us nothing
        tx.conn.exec_driver_sql("UPDATE people_token SET revoked_at = 1")

    asked(gate, token)
    ticker.seconds += KEPT_SECONDS + 0.1
    with pytest.raises(TokenRevoked):
        asked(gate, token)


def test_an_account_out_of_use_lets_nobody_in_until_it_is_back(db, token) -> None:
    gate = gate_of(db)
    asked(gate, token)

    in_one(db, set_active, OPERATOR, "mei", active=False)
    with pytest.raises(PersonInactive):
        asked(gate, token)
    assert not in_one(db, get_person, "mei").is_active
    in_one(db, set_active, OPERATOR, "mei", active=True)

    assert asked(gate, token).actor.name == "mei"


def test_administrators_put_others_out_of_use_and_not_themselves(tx) -> None:
    root, mei = add(tx, "root-1", is_admin=True), add(tx, "mei")

    set_active(tx, root, "mei", active=False)
    with pytest.raises(OwnAccount):
        set_active(tx, root, "root-1", active=False)
    with pytest.raises(AdminNeeded):
        set_active(tx, mei, "root-1", active=False)


def test_what_was_read_before_a_change_is_not_kept_after_it(db, mei) -> None:
    memory = Memory(Ticker())
    mark = memory.mark()
    in_one(db, create_org, mei, OrgDraft("acme"))

    memory.keep(b"key", mei, mark)

    assert memory.find(b"key") is None


def test_the_memory_is_bounded(mei) -> None:
    memory = Memory(Ticker())
    for i in range(KEPT_MAX + 10):
        memory.keep(str(i).encode(), mei, memory.mark())

    assert memory.find(b"9") is None
    assert memory.find(b"10") is mei


def test_uses_are_kept_in_mind_and_written_together(db, mei, token) -> None:
    gate = gate_of(db)

    async def use() -> None:
        for _ in range(3):
            await identify(gate, token, reads_only=True)
        await flush_uses(gate)
        await flush_uses(gate)

    asyncio.run(use())
    used_at = in_one(db, list_tokens, mei)[0].used_at

    assert used_at is not None
    assert gate.take_uses() == {}


def test_uses_kept_in_mind_are_bounded(db) -> None:
    gate = gate_of(db)
    for i in range(USES_MAX + 5):
        gate.note_use(i, 1)

    assert len(gate.take_uses()) == USES_MAX
