"""Accounts: who may make them, who may see them."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from jishi.people import (
    NOBODY,
    OPERATOR,
    PersonDraft,
    Role,
    SignInNeeded,
    add_person,
    list_people,
)
from jishi.people.actors import AdminNeeded, ReadOnlyToken, SessionNeeded
from jishi.people.links import make_link
from jishi.people.names import BadFullName
from jishi.people.orgs import OrgDraft, create_org, remove_member, set_member
from jishi.people.persons import (
    LIST,
    BadEmail,
    EmailTaken,
    PersonMissing,
    find_person,
    get_people,
    get_person,
    has_people,
    set_active,
    update_profile,
)
from tests.people.folk import add, in_one, reload
from tests.plans import plan_of


def test_only_administrators_add_people(tx) -> None:
    admin, mei = add(tx, "root-1", is_admin=True), add(tx, "mei")
    draft = PersonDraft("newcomer")

    with pytest.raises(SignInNeeded):
        add_person(tx, NOBODY, draft)
    with pytest.raises(AdminNeeded):
        add_person(tx, mei, draft)
    assert add_person(tx, admin, draft).name == "newcomer"


def test_an_administrators_read_token_administers_nothing(tx) -> None:
    admin = add(tx, "root-1", is_admin=True)
    reading = type(admin)(
        admin.id, admin.public_id, admin.name, is_admin=True, can_write=False, token_id=7
    )

    with pytest.raises(ReadOnlyToken):
        add_person(tx, reading, PersonDraft("newcomer"))


@pytest.mark.parametrize("email", ["x", "@b", "a@", "a b@c.d", "a@b\n.c", "x" * 250 + "@b.cd"])
def test_a_mail_address_looks_like_one(tx, email: str) -> None:
    with pytest.raises(BadEmail):
        add(tx, "mei", email=email)


def test_a_person_is_found_by_name_and_by_row(tx) -> None:
    mei = add(tx, "Mei", full_name="林梅", email="mei@lab.example")

    person = get_person(tx, "MEI")

    assert (person.name, person.full_name, person.email) == ("Mei", "林梅", "mei@lab.example")
    assert not person.has_password
    assert get_people(tx, [mei.id, 999]) == {mei.id: person}
    assert find_person(tx, "somebody") is None
    with pytest.raises(PersonMissing):
        get_person(tx, "somebody")


def test_people_are_listed_by_name_a_page_at_a_time(tx) -> None:
    assert not has_people(tx)
    for name in ("zoe", "Ann", "mei", "bob"):
        add(tx, name)

    first = list_people(tx, OPERATOR, limit=3)
    rest = list_people(tx, OPERATOR, after=first.end, limit=3)

    assert [p.name for p in first.items] == ["Ann", "bob", "mei"]
    assert [p.name for p in rest.items] == ["zoe"]
    assert rest.end is None
    assert has_people(tx)
    with pytest.raises(AdminNeeded):
        list_people(tx, reload(tx, add(tx, "nosy")))


def test_the_list_of_people_uses_its_index_and_sorts_nothing(tx) -> None:
    plan = plan_of(tx, LIST, after="", limit=50)

    assert "people_namespace_by_kind" in plan.text
    assert not plan.sorts


def test_a_person_changes_the_own_profile_by_a_browser_only(tx) -> None:
    mei = add(tx, "mei")

    update_profile(tx, mei, full_name=" 林梅 ", email="mei@lab.example")

    assert get_person(tx, "mei").full_name == "林梅"
    assert get_person(tx, "mei").email == "mei@lab.example"
    with pytest.raises(SignInNeeded):
        update_profile(tx, NOBODY, full_name="", email="")
    token = type(mei)(mei.id, mei.public_id, mei.name, token_id=1)
    with pytest.raises(SessionNeeded):
        update_profile(tx, token, full_name="", email="")
    with pytest.raises(BadFullName):
        update_profile(tx, mei, full_name="a\nb", email="")
    with pytest.raises(BadEmail):
        update_profile(tx, mei, full_name="", email="nonsense")


def test_a_token_of_an_administrator_makes_no_credentials(tx) -> None:
    boss = add(tx, "boss", is_admin=True)
    add(tx, "mei")
    create_org(tx, boss, OrgDraft("acme"))
    token = replace(reload(tx, boss), token_id=1)

    for act in (
        lambda: add_person(tx, token, PersonDraft("evil", is_admin=True)),
        lambda: make_link(tx, token, "mei"),
        lambda: set_active(tx, token, "mei", active=False),
        lambda: set_member(tx, token, "acme", "mei", Role.ADMIN),
        lambda: remove_member(tx, token, "acme", "mei"),
    ):
        with pytest.raises(SessionNeeded):
            act()


def test_an_address_leads_to_one_account(db) -> None:
    mei = in_one(db, add, "mei", email="Mei@Lab.example")
    yilin = in_one(db, add, "yilin", email="straße@b.cn")

    with pytest.raises(EmailTaken):
        in_one(db, update_profile, yilin, full_name="", email="mei@lab.EXAMPLE")
    with pytest.raises(EmailTaken):
        in_one(db, add, "wu", email="STRASSE@b.cn")

    assert in_one(db, get_person, "yilin").email == "straße@b.cn"
    assert in_one(db, find_person, "wu") is None
    in_one(db, update_profile, mei, full_name="", email="mei@lab.example")
    in_one(db, update_profile, mei, full_name="", email="")
    in_one(db, update_profile, yilin, full_name="", email="mei@lab.example")
    in_one(db, add, "without-one")


def test_of_many_who_take_an_address_at_once_one_gets_it(db) -> None:
    people = [in_one(db, add, f"person-{n}") for n in range(6)]
    start = threading.Barrier(len(people))
    said: list[str] = []

    def take(actor) -> None:
        start.wait()
        try:
            in_one(db, update_profile, actor, full_name="", email="a@b.cn")
            said.append("taken")
        except EmailTaken as refusal:
            said.append(refusal.code)

    threads = [threading.Thread(target=take, args=(actor,)) for actor in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(said) == ["people.email_taken"] * 5 + ["taken"]
