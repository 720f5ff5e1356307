"""Signing in, out, and choosing passwords.  These hash for real."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from argon2 import PasswordHasher

from jishi.people import (
    NOBODY,
    OPERATOR,
    Credential,
    CredentialKind,
    PersonDraft,
    SessionEnded,
    SignInNeeded,
    accept_link,
    authenticate,
    change_password,
    hash_password,
    identify,
    set_up,
    sign_in,
    sweep,
)
from jishi.people.access import load_actor
from jishi.people.actors import SessionNeeded
from jishi.people.attempts import NAME_TRIES_MAX, TooManyAttempts
from jishi.people.flows import BadSignIn, SignUpClosed, WrongPassword, sign_up
from jishi.people.links import LinkGone, LinkPurpose, invite, make_link, read_link, renew_set_up
from jishi.people.names import NameTaken
from jishi.people.passwords import (
    NOT_A_PASSWORD,
    PasswordTooLong,
    PasswordTooShort,
    is_outdated,
    is_password,
)
from jishi.people.persons import PersonInactive, get_person, set_active
from jishi.people.sessions import SESSION_DAYS, SESSIONS_MAX, end_session, open_session
from tests.people.folk import PASSWORD, Ticker, add, gate_of, in_one

HASH = hash_password(PASSWORD)


def session(secret: str) -> Credential:
    return Credential(CredentialKind.SESSION, secret)


@pytest.fixture
def mei(db):
    return in_one(db, add, "mei", password_hash=HASH)


def test_whoever_knows_the_password_gets_a_session(db, mei) -> None:
    opened = asyncio.run(sign_in(gate_of(db), "MEI", PASSWORD, address="::1"))

    actor = in_one(db, authenticate, session(opened.secret))

    assert actor == mei
    assert (actor.token_id, opened.person.name) == (0, "mei")


def test_a_mail_address_does_for_a_name_and_shares_its_tries(db) -> None:
    gate = gate_of(db)
    in_one(db, add, "mei", password_hash=HASH, email="Mei@Lab.example")

    opened = asyncio.run(sign_in(gate, "mei@lab.EXAMPLE", PASSWORD, address="::1"))

    assert opened.person.name == "mei"
    for _ in range(NAME_TRIES_MAX):
        with pytest.raises(BadSignIn):
            asyncio.run(sign_in(gate, "mei@lab.example", "wrong password", address="::1"))
    with pytest.raises(TooManyAttempts):
        asyncio.run(sign_in(gate, "mei", PASSWORD, address="::2"))


@pytest.mark.usefixtures("mei")
@pytest.mark.parametrize(
    ("name", "password"), [("mei", "wrong password"), ("nobody-here", PASSWORD), ("mei", "")]
)
def test_anybody_else_learns_only_that_it_did_not_fit(db, name, password) -> None:
    with pytest.raises(BadSignIn) as told:
        asyncio.run(sign_in(gate_of(db), name, password, address="::1"))

    assert told.value.facts == {}


def test_what_is_too_long_for_a_name_is_a_wrong_one(db) -> None:
    gate = gate_of(db)
    long = "mei" + "i" * 1_000_000

    for end in range(NAME_TRIES_MAX):
        with pytest.raises(BadSignIn):
            asyncio.run(sign_in(gate, f"{long}{end}", PASSWORD, address="::1"))

    with pytest.raises(TooManyAttempts):  # counted by its beginning, as it is looked up
        asyncio.run(sign_in(gate, f"{long}@", PASSWORD, address="::1"))


def test_somebody_who_never_chose_a_password_has_none(db) -> None:
    in_one(db, add, "mei")

    for guess in ("", "None", PASSWORD):
        with pytest.raises(BadSignIn):
            asyncio.run(sign_in(gate_of(db), "mei", guess, address="::1"))


def test_an_unknown_name_takes_as_long_as_a_wrong_password() -> None:
    assert not is_outdated(NOT_A_PASSWORD)
    assert not is_outdated(HASH)
    seconds = []
    for stored in (HASH, NOT_A_PASSWORD):
        begun = time.perf_counter()
        for _ in range(3):
            assert not is_password(stored, "wrong password")
        seconds.append(time.perf_counter() - begun)

    assert 0.4 < seconds[0] / seconds[1] < 2.5


def test_an_overlong_password_is_refused_before_it_is_hashed() -> None:
    endless = "x" * 10_000_000
    seconds = []
    for _ in range(5):
        begun = time.perf_counter()
        assert not is_password(HASH, endless)
        seconds.append(time.perf_counter() - begun)

    assert min(seconds) < 0.005


def test_a_hash_of_older_parameters_is_renewed_at_sign_in(db) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    in_one(db, add, "mei", password_hash=old)

    asyncio.run(sign_in(gate_of(db), "mei", PASSWORD, address="::1"))
    asyncio.run(sign_in(gate_of(db), "mei", PASSWORD, address="::1"))

    with db.begin("read") as tx:
        stored = tx.conn.exec_driver_sql("SELECT password FROM people_person").scalar_one()
    assert not is_outdated(stored)


@pytest.mark.usefixtures("mei")
def test_guessing_ends_and_begins_again_later(db) -> None:
    ticker = Ticker()
    gate = gate_of(db, ticker)

    async def guess() -> None:
        for _ in range(NAME_TRIES_MAX):
            with pytest.raises(BadSignIn):
                await sign_in(gate, "mei", "wrong", address="::1")
        with pytest.raises(TooManyAttempts):
            await sign_in(gate, "Mei", PASSWORD, address="10.0.0.7")
        ticker.seconds += 900
        await sign_in(gate, "mei", PASSWORD, address="::1")

    asyncio.run(guess())


@pytest.mark.usefixtures("mei")
def test_a_session_ends_after_its_days(db, clock) -> None:
    opened = asyncio.run(sign_in(gate_of(db), "mei", PASSWORD, address="::1"))
    clock.forward(SESSION_DAYS * 86_400)

    with pytest.raises(SessionEnded):
        in_one(db, authenticate, session(opened.secret))
    assert in_one(db, sweep) == 1
    assert in_one(db, sweep) == 0


@pytest.mark.usefixtures("mei")
def test_an_account_out_of_use_has_no_sessions_and_gets_none(db) -> None:
    gate = gate_of(db)
    opened = asyncio.run(sign_in(gate, "mei", PASSWORD, address="::1"))
    in_one(db, set_active, OPERATOR, "mei", active=False)

    with pytest.raises(SessionEnded):
        asyncio.run(identify(gate, session(opened.secret), reads_only=True))
    with pytest.raises(PersonInactive):
        asyncio.run(sign_in(gate, "mei", PASSWORD, address="::1"))
    with pytest.raises(BadSignIn):
        asyncio.run(sign_in(gate, "mei", "wrong password", address="::1"))
    with pytest.raises(PersonInactive):
        in_one(db, make_link, OPERATOR, "mei")


def test_signing_out_ends_one_session(tx) -> None:
    add(tx, "mei")
    person = get_person(tx, "mei")
    one, other = open_session(tx, person), open_session(tx, person)

    end_session(tx, one.secret)
    end_session(tx, "never one")

    with pytest.raises(SessionEnded):
        authenticate(tx, session(one.secret))
    authenticate(tx, session(other.secret))


def test_a_person_has_so_many_sessions_and_the_oldest_ends(tx) -> None:
    add(tx, "mei")
    person = get_person(tx, "mei")
    first = open_session(tx, person)
    for _ in range(SESSIONS_MAX):
        tx.now += 1
        last = open_session(tx, person)

    with pytest.raises(SessionEnded):
        authenticate(tx, session(first.secret))
    authenticate(tx, session(last.secret))


def test_a_new_password_ends_every_session_but_the_new_one(db, mei) -> None:
    gate = gate_of(db)
    before = asyncio.run(sign_in(gate, "mei", PASSWORD, address="::1"))

    after = asyncio.run(change_password(gate, mei, old=PASSWORD, new="another password"))

    with pytest.raises(SessionEnded):
        asyncio.run(identify(gate, session(before.secret), reads_only=True))
    assert asyncio.run(identify(gate, session(after.secret), reads_only=True)).actor == mei
    with pytest.raises(BadSignIn):
        asyncio.run(sign_in(gate, "mei", PASSWORD, address="::1"))
    asyncio.run(sign_in(gate, "mei", "another password", address="::1"))


def test_a_password_changes_for_whoever_knows_it_at_a_browser(db, mei) -> None:
    gate = gate_of(db)
    token = type(mei)(mei.id, mei.public_id, mei.name, token_id=1)

    for actor, old, new, refusal in (
        (NOBODY, PASSWORD, PASSWORD, SignInNeeded),
        (token, PASSWORD, PASSWORD, SessionNeeded),
        (mei, PASSWORD, "short", PasswordTooShort),
        (mei, PASSWORD, "x" * 257, PasswordTooLong),
        (mei, "wrong password", "another password", WrongPassword),
    ):
        with pytest.raises(refusal):
            asyncio.run(change_password(gate, actor, old=old, new=new))


def test_an_invitation_ends_in_a_password_and_a_session(db) -> None:
    gate = gate_of(db)
    secret = in_one(db, invite, OPERATOR, PersonDraft("mei")).link.secret

    with pytest.raises(PasswordTooShort):
        asyncio.run(accept_link(gate, secret, "short"))
    opened = asyncio.run(accept_link(gate, secret, PASSWORD))

    assert in_one(db, authenticate, session(opened.secret)).name == "mei"
    asyncio.run(sign_in(gate, "mei", PASSWORD, address="::1"))
    with pytest.raises(LinkGone):
        asyncio.run(accept_link(gate, secret, "another password"))
    assert in_one(db, make_link, OPERATOR, "mei").purpose is LinkPurpose.RESET


@pytest.mark.usefixtures("mei")
def test_a_reset_link_ends_the_sessions_and_the_old_password(db) -> None:
    gate = gate_of(db)
    before = asyncio.run(sign_in(gate, "mei", PASSWORD, address="::1"))
    secret = in_one(db, make_link, OPERATOR, "mei").secret

    asyncio.run(accept_link(gate, secret, "another password"))

    with pytest.raises(SessionEnded):
        in_one(db, authenticate, session(before.secret))
    with pytest.raises(BadSignIn):
        asyncio.run(sign_in(gate, "mei", PASSWORD, address="::1"))


def test_changing_the_password_voids_reset_links(db, mei) -> None:
    secret = in_one(db, make_link, OPERATOR, "mei").secret

    asyncio.run(change_password(gate_of(db), mei, old=PASSWORD, new="another password"))

    with pytest.raises(LinkGone):
        in_one(db, read_link, secret)


def test_two_who_use_one_invitation_at_once_are_one(db) -> None:
    secret = in_one(db, invite, OPERATOR, PersonDraft("mei")).link.secret
    gate = gate_of(db)
    outcomes: list[object] = []

    def use(password: str) -> None:
        try:
            outcomes.append(asyncio.run(accept_link(gate, secret, password)))
        except LinkGone as refusal:
            outcomes.append(refusal)

    threads = [threading.Thread(target=use, args=(f"password number {i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(not isinstance(outcome, LinkGone) for outcome in outcomes) == 1


def test_the_set_up_link_makes_the_first_administrator_once(db) -> None:
    gate = gate_of(db)
    secret = in_one(db, renew_set_up)
    in_one(db, add, "taken")

    with pytest.raises(PasswordTooShort):
        asyncio.run(set_up(gate, secret, PersonDraft("root-1"), "short"))
    with pytest.raises(NameTaken):
        asyncio.run(set_up(gate, secret, PersonDraft("taken"), PASSWORD))
    opened = asyncio.run(set_up(gate, secret, PersonDraft("root-1"), PASSWORD))

    assert in_one(db, load_actor, opened.person.id).is_admin
    with pytest.raises(LinkGone):
        asyncio.run(set_up(gate, secret, PersonDraft("root-2"), PASSWORD))


def test_an_invitation_is_no_set_up_link(db) -> None:
    secret = in_one(db, invite, OPERATOR, PersonDraft("mei")).link.secret

    with pytest.raises(LinkGone):
        asyncio.run(set_up(gate_of(db), secret, PersonDraft("root-1"), PASSWORD))
    assert in_one(db, read_link, secret).name == "mei"


def test_sign_up_is_closed_unless_the_operator_opens_it(db) -> None:
    draft = PersonDraft("mei", is_admin=True)
    with pytest.raises(SignUpClosed):
        asyncio.run(sign_up(gate_of(db), draft, PASSWORD, address="::1"))

    opened = asyncio.run(sign_up(gate_of(db, sign_up="open"), draft, PASSWORD, address="::1"))

    assert not opened.person.is_admin
