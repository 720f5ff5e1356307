"""Access tokens and what they stand for."""

from __future__ import annotations

import contextlib
import re
import threading

import pytest
import sqlalchemy as sa

from jishi.people import NOBODY, OPERATOR, Credential, CredentialKind, SignInNeeded, authenticate
from jishi.people.access import TokenExpired, TokenRevoked, TokenUnknown, recognise
from jishi.people.actors import SessionNeeded
from jishi.people.persons import PersonMissing
from jishi.people.tokens import (
    LIST,
    TOKENS_MAX,
    BadTokenName,
    TokenMissing,
    TokenRole,
    TooManyTokens,
    create_token,
    get_token,
    list_tokens,
    mint,
    revoke_token,
    write_uses,
)
from tests.people.folk import add, in_one
from tests.plans import plan_of


def credential(secret: str) -> Credential:
    return Credential(CredentialKind.TOKEN, secret)


def test_a_token_looks_like_those_of_the_public_hub(tx) -> None:
    minted = create_token(tx, add(tx, "mei"), name="laptop", role=TokenRole.READ)

    assert re.fullmatch(r"hf_[A-Za-z]{34}", minted.secret)
    assert minted.token.tail == minted.secret[-4:]


def test_the_secret_lies_nowhere_in_the_database(tx) -> None:
    minted = create_token(tx, add(tx, "mei"), name="laptop", role=TokenRole.READ)

    for table in sa.inspect(tx.conn).get_table_names():
        for row in tx.conn.exec_driver_sql(f"SELECT * FROM {table}"):
            for value in row:
                held = bytes(value) if isinstance(value, memoryview) else value
                assert minted.secret not in str(held)
                assert held != minted.secret.encode()


@pytest.mark.parametrize("role", TokenRole)
def test_a_token_stands_for_its_owner_within_its_role(tx, role: TokenRole) -> None:
    mei = add(tx, "mei", is_admin=True)
    minted = create_token(tx, mei, name="laptop", role=role)

    actor = authenticate(tx, credential(minted.secret))

    assert (actor.id, actor.name, actor.is_admin) == (mei.id, "mei", True)
    assert actor.can_write == (role is TokenRole.WRITE)
    assert get_token(tx, actor.token_id) == minted.token


def test_a_token_of_another_hub_is_told_so_with_both_ways_out(tx) -> None:
    with pytest.raises(TokenUnknown) as told:
        authenticate(tx, credential("hf_" + "x" * 34))

    assert "hf auth login" in str(told.value)
    assert "HF_HUB_DISABLE_IMPLICIT_TOKEN=1" in str(told.value)


def test_a_revoked_token_is_told_so_and_leaves_the_list(tx) -> None:
    mei = add(tx, "mei")
    minted = create_token(tx, mei, name="laptop", role=TokenRole.READ)

    revoke_token(tx, mei, minted.token.public_id)

    assert list_tokens(tx, mei) == ()
    with pytest.raises(TokenRevoked):
        authenticate(tx, credential(minted.secret))
    with pytest.raises(TokenMissing):
        revoke_token(tx, mei, minted.token.public_id)


def test_a_token_with_an_end_ends(tx) -> None:
    mei = add(tx, "mei")
    minted = mint(tx, mei.id, name="short", role=TokenRole.READ, seconds=60)
    authenticate(tx, credential(minted.secret))
    tx.now += 60_000_000

    with pytest.raises(TokenExpired):
        authenticate(tx, credential(minted.secret))
    assert list_tokens(tx, mei) == ()


def test_nobody_revokes_what_belongs_to_somebody_else(tx) -> None:
    minted = create_token(tx, add(tx, "mei"), name="laptop", role=TokenRole.READ)

    with pytest.raises(TokenMissing):
        revoke_token(tx, add(tx, "eve"), minted.token.public_id)


def test_a_token_makes_shows_and_ends_no_tokens(tx) -> None:
    minted = create_token(tx, add(tx, "mei"), name="laptop", role=TokenRole.WRITE)
    actor = authenticate(tx, credential(minted.secret))

    for attempt in (
        lambda: create_token(tx, actor, name="more", role=TokenRole.WRITE),
        lambda: list_tokens(tx, actor),
        lambda: revoke_token(tx, actor, minted.token.public_id),
    ):
        with pytest.raises(SessionNeeded):
            attempt()
    with pytest.raises(SignInNeeded):
        list_tokens(tx, NOBODY)


def test_the_operator_makes_tokens_for_others(tx) -> None:
    mei = add(tx, "mei")

    minted = create_token(tx, OPERATOR, name="ci", role=TokenRole.WRITE, owner="MEI")

    assert authenticate(tx, credential(minted.secret)).id == mei.id
    with pytest.raises(PersonMissing):
        create_token(tx, OPERATOR, name="ci", role=TokenRole.WRITE, owner="somebody")


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "two\nlines"])
def test_a_token_has_a_name(tx, name: str) -> None:
    with pytest.raises(BadTokenName):
        create_token(tx, add(tx, "mei"), name=name, role=TokenRole.READ)


def test_tokens_are_listed_newest_first_and_are_limited(tx) -> None:
    mei = add(tx, "mei")
    for i in range(TOKENS_MAX):
        mint(tx, mei.id, name=f"t{i}", role=TokenRole.READ)

    assert [t.name for t in list_tokens(tx, mei)[:2]] == ["t99", "t98"]
    with pytest.raises(TooManyTokens):
        mint(tx, mei.id, name="more", role=TokenRole.READ)
    revoke_token(tx, mei, list_tokens(tx, mei)[0].public_id)
    mint(tx, mei.id, name="more", role=TokenRole.READ)


def test_the_limit_holds_when_two_ask_at_once(db) -> None:
    mei = in_one(db, add, "mei")
    for i in range(TOKENS_MAX - 1):
        in_one(db, mint, mei.id, name=f"t{i}", role=TokenRole.READ)
    start = threading.Barrier(4)
    made = []

    def ask() -> None:
        start.wait()
        with contextlib.suppress(TooManyTokens):
            made.append(in_one(db, mint, mei.id, name="last", role=TokenRole.READ))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(made) == 1


def test_the_list_of_tokens_uses_its_index_and_sorts_nothing(tx) -> None:
    plan = plan_of(tx, LIST, owner=1, now=0, limit=100)

    assert "people_token_person" in plan.text
    assert not plan.sorts


def test_the_last_use_is_written_at_most_once_a_minute(tx) -> None:
    mei = add(tx, "mei")
    minted = create_token(tx, mei, name="laptop", role=TokenRole.READ)
    actor, is_stale = recognise(tx, credential(minted.secret))
    assert is_stale

    write_uses(tx, {actor.token_id: tx.now})

    assert list_tokens(tx, mei)[0].used_at == tx.now
    assert not recognise(tx, credential(minted.secret))[1]
    tx.now += 60_000_000
    assert recognise(tx, credential(minted.secret))[1]
