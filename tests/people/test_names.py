"""What a person or an organisation may be called."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jishi.people import find_namespace
from jishi.people.names import (
    SEARCH,
    BadFullName,
    BadName,
    NameReserved,
    NameTaken,
    check_name,
    search_namespaces,
)
from jishi.people.orgs import OrgDraft, create_org
from jishi.people.reserved import RESERVED
from tests.people.folk import add
from tests.plans import plan_of

LETTERS = string.ascii_letters + string.digits


@pytest.mark.parametrize("name", ["ab", "Mei-Lin", "a1", "1a", "01-ai", "x" * 42, "a-b-c-d"])
def test_letters_digits_and_single_dashes_make_a_name(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "a",
            "x" * 43,
            "-ab",
            "ab-",
            "a--b",
            "a_b",
            "a.b",
            "a b",
            "12345",
            "梅花",
            "ab\n",
            "a/b",
        ),
        *("0123456789abcdef01234567", "ABCDEFABCDEFABCDEFABCDEF", "..", "%41b", "\uff41\uff42"),
    ],
)
def test_anything_else_is_refused(name: str) -> None:
    with pytest.raises(BadName):
        check_name(name)


@pytest.mark.parametrize("name", ["api", "API", "Datasets", "v1", "oauth", "settings", "wallet"])
def test_what_is_or_may_become_an_address_is_refused(name: str) -> None:
    with pytest.raises(NameReserved):
        check_name(name)


@given(st.text(max_size=50))
def test_no_text_passes_that_is_not_made_of_the_alphabet(name: str) -> None:
    try:
        check_name(name)
    except (BadName, NameReserved):
        return
    assert set(name) <= set(LETTERS + "-")
    assert 2 <= len(name) <= 42
    assert name[0] != "-" != name[-1]
    assert "--" not in name
    assert name.lower() not in RESERVED


@given(st.from_regex(r"[A-Za-z]{1,10}(-[A-Za-z0-9]{1,10}){1,2}", fullmatch=True))
def test_every_plain_name_passes_unless_it_is_reserved_or_looks_like_an_id(name: str) -> None:
    if name.lower() in RESERVED or re.fullmatch("[0-9a-fA-F]{24}", name):
        return
    check_name(name)


def test_people_and_organisations_share_names_without_case(tx) -> None:
    mei = add(tx, "Mei")

    with pytest.raises(NameTaken):
        create_org(tx, mei, OrgDraft("mEI"))
    create_org(tx, mei, OrgDraft("Acme"))
    with pytest.raises(NameTaken):
        add(tx, "ACME")


def test_a_name_is_found_without_case_and_keeps_its_spelling(tx) -> None:
    add(tx, "Mei-Lin", full_name="林梅")

    found = find_namespace(tx, "mei-LIN")

    assert found is not None
    assert found.name == "Mei-Lin"
    assert found.full_name == "林梅"
    assert found.is_person
    assert find_namespace(tx, "nobody-here") is None


@pytest.mark.parametrize("full_name", ["x" * 101, "two\nlines", "bell\x07"])
def test_a_full_name_is_one_line(tx, full_name: str) -> None:
    with pytest.raises(BadFullName):
        add(tx, "mei", full_name=full_name)


def test_names_are_searched_in_both_scripts_and_come_in_order(tx) -> None:
    for name, full_name in (
        ("zoe", "Zoë Möller"),
        ("Mei", "林小美"),
        ("amei", ""),
        ("bob", "100%"),
    ):
        add(tx, name, full_name=full_name)

    def found(*words: str) -> list[str]:
        return [each.name for each in search_namespaces(tx, words, limit=5)]

    assert found("MEI") == ["amei", "Mei"]
    assert found("小美", "me") == ["Mei"]
    assert found("möller") == found("MÖLLER".title()) == ["zoe"]
    assert found("%") == ["bob"]
    assert found("_") == []
    assert len(search_namespaces(tx, (), limit=2)) == 2
    assert not plan_of(tx, SEARCH.limit(5)).sorts
