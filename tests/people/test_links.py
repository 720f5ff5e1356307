"""Links that work once."""

from __future__ import annotations

import threading

import pytest

from jishi.people import OPERATOR, PersonDraft
from jishi.people.actors import AdminNeeded
from jishi.people.links import (
    LINK_DAYS,
    LinkGone,
    LinkPurpose,
    invite,
    make_link,
    read_link,
    renew_set_up,
    take_link,
)
from jishi.people.persons import PersonMissing
from tests.people.folk import add, in_one


def test_an_invitation_makes_the_account_and_its_link(tx) -> None:
    invitation = invite(tx, OPERATOR, PersonDraft("Mei", full_name="林梅"))

    view = read_link(tx, invitation.link.secret)

    assert (view.purpose, view.name) == (LinkPurpose.INVITATION, "Mei")
    assert invitation.link.expires_at == tx.now + LINK_DAYS * 86_400_000_000


def test_a_link_of_somebody_with_a_password_is_for_a_reset(tx) -> None:
    add(tx, "mei", password_hash="$argon2id$...")

    assert make_link(tx, OPERATOR, "mei").purpose is LinkPurpose.RESET


def test_looking_at_a_link_does_not_use_it(tx) -> None:
    secret = invite(tx, OPERATOR, PersonDraft("mei")).link.secret
    read_link(tx, secret)
    read_link(tx, secret)

    assert take_link(tx, secret, for_set_up=False) is not None
    with pytest.raises(LinkGone):
        read_link(tx, secret)
    with pytest.raises(LinkGone):
        take_link(tx, secret, for_set_up=False)


def test_a_link_lasts_seven_days(tx) -> None:
    secret = invite(tx, OPERATOR, PersonDraft("mei")).link.secret
    tx.now += 7 * 86_400_000_000

    with pytest.raises(LinkGone):
        read_link(tx, secret)
    with pytest.raises(LinkGone):
        take_link(tx, secret, for_set_up=False)


def test_a_new_link_ends_the_one_before(tx) -> None:
    first = invite(tx, OPERATOR, PersonDraft("mei")).link.secret
    second = make_link(tx, OPERATOR, "mei").secret

    with pytest.raises(LinkGone):
        read_link(tx, first)
    read_link(tx, second)


def test_only_administrators_make_links(tx) -> None:
    with pytest.raises(AdminNeeded):
        make_link(tx, add(tx, "mei"), "mei")
    with pytest.raises(PersonMissing):
        make_link(tx, OPERATOR, "somebody")


def test_of_many_users_of_one_link_exactly_one_succeeds(db) -> None:
    secret = in_one(db, invite, OPERATOR, PersonDraft("mei")).link.secret
    start = threading.Barrier(8)
    outcomes = []

    def use() -> None:
        start.wait()
        try:
            outcomes.append(in_one(db, take_link, secret, for_set_up=False))
        except LinkGone:
            outcomes.append(None)

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 8
    assert sum(person is not None for person in outcomes) == 1


def test_the_set_up_link_is_renewed_until_there_is_an_administrator(tx) -> None:
    first = renew_set_up(tx)
    second = renew_set_up(tx)
    assert first is not None
    assert second is not None

    with pytest.raises(LinkGone):
        read_link(tx, first)
    assert read_link(tx, second).purpose is LinkPurpose.SET_UP
    add(tx, "root-1", is_admin=True)
    with pytest.raises(LinkGone):
        read_link(tx, second)
    assert renew_set_up(tx) is None


def test_people_who_do_not_administer_leave_the_set_up_link_alone(tx) -> None:
    secret = renew_set_up(tx)
    add(tx, "mei")

    assert secret is not None
    assert read_link(tx, secret).name is None


def test_a_link_of_one_sort_does_not_pass_for_the_other(tx) -> None:
    set_up = renew_set_up(tx)
    invitation = invite(tx, OPERATOR, PersonDraft("mei")).link.secret
    assert set_up is not None

    for secret, for_set_up in ((set_up, False), (invitation, True)):
        with pytest.raises(LinkGone), tx.conn.begin_nested():
            take_link(tx, secret, for_set_up=for_set_up)
