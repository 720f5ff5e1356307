"""Organisations: who belongs, who decides."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jishi.people import NOBODY, OPERATOR, Actor, Denied, ReadOnlyToken, Role, SignInNeeded
from jishi.people.names import BadFullName
from jishi.people.orgs import (
    LIST,
    LastAdmin,
    MemberMissing,
    OrgDraft,
    OrgMissing,
    count_members,
    create_org,
    get_org,
    list_members,
    list_orgs,
    remove_member,
    set_member,
    update_org,
)
from jishi.people.persons import PersonMissing
from tests.people.folk import add, in_one, reload
from tests.plans import plan_of


def test_whoever_creates_an_organisation_manages_it(tx) -> None:
    mei = add(tx, "mei")

    org = create_org(tx, mei, OrgDraft("Acme", full_name="甲公司", private_by_default=True))

    assert (org.name, org.full_name, org.private_by_default) == ("Acme", "甲公司", True)
    assert reload(tx, mei).role_in("ACME") is Role.ADMIN
    assert [m.org.name for m in list_orgs(tx, mei.id)] == ["Acme"]


def test_the_operator_adds_no_member(tx) -> None:
    org = create_org(tx, OPERATOR, OrgDraft("acme"))

    assert count_members(tx, org.id) == 0
    assert not org.private_by_default


def test_nobody_and_readers_create_nothing(tx) -> None:
    with pytest.raises(SignInNeeded):
        create_org(tx, NOBODY, OrgDraft("acme"))
    with pytest.raises(ReadOnlyToken):
        create_org(tx, Actor(1, "x", "mei", can_write=False, token_id=1), OrgDraft("acme"))


@pytest.mark.parametrize("role", Role)
def test_only_those_who_manage_change_members(tx, role: Role) -> None:
    boss, other = add(tx, "boss"), add(tx, "other")
    add(tx, "newcomer")
    create_org(tx, boss, OrgDraft("acme"))
    set_member(tx, reload(tx, boss), "acme", "other", role)

    if role is Role.ADMIN:
        set_member(tx, reload(tx, other), "acme", "newcomer", Role.READ)
        remove_member(tx, reload(tx, other), "acme", "newcomer")
        return
    with pytest.raises(Denied):
        set_member(tx, reload(tx, other), "acme", "newcomer", Role.READ)
    with pytest.raises(Denied):
        remove_member(tx, reload(tx, other), "acme", "boss")
    with pytest.raises(Denied):
        update_org(tx, reload(tx, other), "acme", full_name="x", private_by_default=True)


def test_administrators_of_the_installation_manage_members_everywhere(tx) -> None:
    root, mei = add(tx, "root-1", is_admin=True), add(tx, "mei")
    create_org(tx, OPERATOR, OrgDraft("acme"))

    set_member(tx, root, "acme", "mei", Role.ADMIN)

    assert reload(tx, mei).role_in("acme") is Role.ADMIN
    assert root.role_in("acme") is None


def test_setting_again_changes_the_role_and_keeps_the_day(tx) -> None:
    boss, mei = add(tx, "boss"), add(tx, "mei")
    create_org(tx, boss, OrgDraft("acme"))
    set_member(tx, reload(tx, boss), "acme", "mei", Role.READ)
    before = {m.name: m.since for m in list_members(tx, "acme").items}
    tx.now += 1_000_000

    set_member(tx, reload(tx, boss), "acme", "mei", Role.WRITE)

    after = {m.name: (m.role, m.since) for m in list_members(tx, "acme").items}
    assert after["mei"] == (Role.WRITE, before["mei"])
    assert reload(tx, mei).has(Role.WRITE, "Acme")


def test_somebody_stays_who_manages(tx) -> None:
    boss = add(tx, "boss")
    create_org(tx, boss, OrgDraft("acme"))
    boss = reload(tx, boss)

    with pytest.raises(LastAdmin):
        set_member(tx, boss, "acme", "boss", Role.READ)
    with pytest.raises(LastAdmin):
        remove_member(tx, boss, "acme", "boss")
    remove_member(tx, OPERATOR, "acme", "boss")
    assert list_members(tx, "acme").items == ()


def test_two_who_demote_each_other_at_once_leave_one(db) -> None:
    ann = in_one(db, add, "ann")
    bob = in_one(db, add, "bob")
    in_one(db, create_org, ann, OrgDraft("acme"))
    in_one(db, set_member, OPERATOR, "acme", "bob", Role.ADMIN)
    ann, bob = in_one(db, reload, ann), in_one(db, reload, bob)
    start = threading.Barrier(2)
    refused = []

    def demote(actor, victim) -> None:
        start.wait()
        try:
            in_one(db, set_member, actor, "acme", victim, Role.READ)
        except LastAdmin:
            refused.append(victim)

    threads = [threading.Thread(target=demote, args=pair) for pair in ((ann, "bob"), (bob, "ann"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    roles = [m.role for m in in_one(db, list_members, "acme").items]
    assert sorted(roles) == [Role.READ, Role.ADMIN]
    assert len(refused) == 1


def test_everybody_may_leave(tx) -> None:
    boss, mei = add(tx, "boss"), add(tx, "mei")
    create_org(tx, boss, OrgDraft("acme"))
    set_member(tx, reload(tx, boss), "acme", "mei", Role.READ)

    remove_member(tx, reload(tx, mei), "acme", "mei")

    assert reload(tx, mei).role_in("acme") is None
    with pytest.raises(MemberMissing):
        remove_member(tx, reload(tx, mei), "acme", "mei")


def test_a_read_only_token_does_not_even_leave(tx) -> None:
    boss, mei = add(tx, "boss"), add(tx, "mei")
    create_org(tx, boss, OrgDraft("acme"))
    set_member(tx, reload(tx, boss), "acme", "mei", Role.READ)
    token = Actor(mei.id, mei.public_id, "mei", can_write=False, token_id=1)

    with pytest.raises(ReadOnlyToken):
        remove_member(tx, token, "acme", "mei")


def test_members_are_listed_by_name_a_page_at_a_time(tx) -> None:
    create_org(tx, OPERATOR, OrgDraft("acme"))
    for name in ("zoe", "Ann", "mei"):
        add(tx, name)
        set_member(tx, OPERATOR, "acme", name, Role.READ)

    first = list_members(tx, "acme", limit=2)
    rest = list_members(tx, "acme", after=first.end, limit=2)

    assert [m.name for m in first.items] == ["Ann", "mei"]
    assert [m.name for m in rest.items] == ["zoe"]
    assert rest.end is None


def test_the_list_of_members_uses_its_index_and_sorts_nothing(tx) -> None:
    plan = plan_of(tx, LIST, org_id=1, after="", limit=50)

    assert "people_member_by_name" in plan.text
    assert not plan.sorts


def test_what_is_missing_is_named(tx) -> None:
    mei = add(tx, "mei")
    create_org(tx, mei, OrgDraft("acme"))
    mei = reload(tx, mei)

    with pytest.raises(OrgMissing):
        get_org(tx, "mei")
    with pytest.raises(OrgMissing):
        list_members(tx, "nothing")
    with pytest.raises(PersonMissing):
        set_member(tx, mei, "acme", "nobody-here", Role.READ)


def test_an_organisation_changes_its_words_and_its_default(tx) -> None:
    mei = add(tx, "mei")
    create_org(tx, mei, OrgDraft("acme"))
    mei = reload(tx, mei)

    org = update_org(tx, mei, "ACME", full_name="Acme Ltd", private_by_default=True)

    assert (org.full_name, org.private_by_default) == ("Acme Ltd", True)
    with pytest.raises(BadFullName):
        update_org(tx, mei, "acme", full_name="a\nb", private_by_default=True)


@given(
    own=st.sampled_from([None, *Role]),
    wanted=st.sampled_from(Role),
    can_write=st.booleans(),
    spelling=st.sampled_from(["acme", "Acme", "ACME"]),
)
def test_a_role_includes_those_below_it_and_nothing_else(own, wanted, can_write, spelling) -> None:
    actor = Actor(1, "x", "mei", can_write=can_write, roles={} if own is None else {"acme": own})

    assert actor.has(wanted, spelling) == (own is not None and own >= wanted)
    if not can_write:
        with pytest.raises(ReadOnlyToken):
            actor.require(wanted, spelling)
    elif own is None or own < wanted:
        with pytest.raises(Denied):
            actor.require(wanted, spelling)
    else:
        actor.require(wanted, spelling)
    with pytest.raises(SignInNeeded):
        NOBODY.require(wanted, spelling)
