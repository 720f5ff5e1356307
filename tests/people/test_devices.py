"""Log-in of a device, RFC 8628."""

from __future__ import annotations

import re
import threading

import pytest

from jishi.people import NOBODY, Credential, CredentialKind, SignInNeeded, authenticate
from jishi.people import devices as door
from jishi.people.access import TokenRevoked
from jishi.people.actors import SessionNeeded
from jishi.people.devices import (
    DEVICE_SECONDS,
    REFRESH_SECONDS,
    TOKEN_SECONDS,
    DeviceGone,
    DeviceStart,
    PollState,
    TooManyDevices,
    approve_device,
    deny_device,
    poll_device,
    read_device,
    refresh_grant,
    start_device,
)
from jishi.people.tokens import TokenRole, list_tokens, revoke_token
from tests.people.folk import add, in_one

CLIENT = "26be6b09-91c5-47da-9861-d2d2bb7a7e36"


def later(tx, seconds: float = 5) -> None:
    tx.now += int(seconds * 1_000_000)


def start(tx, address: str = "::1") -> DeviceStart:
    return start_device(tx, CLIENT, address=address)


def granted(tx, mei, role=TokenRole.WRITE):
    begun = start(tx)
    approve_device(tx, mei, begun.user_code, role=role)
    answer = poll_device(tx, begun.device_code, CLIENT)
    assert answer.grant is not None
    return answer.grant


def test_a_device_waits_until_somebody_approves(tx) -> None:
    mei = add(tx, "mei")
    begun = start(tx)
    assert re.fullmatch("[B-Z]{4}-[B-Z]{4}", begun.user_code)
    assert poll_device(tx, begun.device_code, CLIENT).state is PollState.PENDING
    later(tx)

    assert read_device(tx, mei, begun.user_code).client_id == CLIENT
    approve_device(tx, mei, begun.user_code, role=TokenRole.WRITE)
    answer = poll_device(tx, begun.device_code, CLIENT)

    assert answer.state is PollState.GRANTED
    assert answer.grant is not None
    assert answer.grant.expires_seconds == TOKEN_SECONDS
    actor = authenticate(tx, Credential(CredentialKind.TOKEN, answer.grant.access_token))
    assert (actor.name, actor.can_write) == ("mei", True)
    assert poll_device(tx, begun.device_code, CLIENT).state is PollState.EXPIRED


@pytest.mark.parametrize("typed", [str.lower, lambda c: c.replace("-", ""), lambda c: f" {c} "])
def test_a_code_is_understood_however_it_is_typed(tx, typed) -> None:
    begun = start(tx)

    assert read_device(tx, add(tx, "mei"), typed(begun.user_code)).user_code == begun.user_code


def test_who_asks_too_often_is_slowed_down(tx) -> None:
    begun = start(tx)
    poll_device(tx, begun.device_code, CLIENT)

    assert poll_device(tx, begun.device_code, CLIENT).state is PollState.SLOW_DOWN
    later(tx)
    assert poll_device(tx, begun.device_code, CLIENT).state is PollState.PENDING


def test_a_device_that_was_turned_away_is_told_once(tx) -> None:
    begun = start(tx)
    deny_device(tx, add(tx, "mei"), begun.user_code)

    assert poll_device(tx, begun.device_code, CLIENT).state is PollState.DENIED
    assert poll_device(tx, begun.device_code, CLIENT).state is PollState.EXPIRED


def test_a_code_that_ran_out_does_nothing(tx) -> None:
    mei = add(tx, "mei")
    begun = start(tx)
    later(tx, DEVICE_SECONDS)

    with pytest.raises(DeviceGone):
        read_device(tx, mei, begun.user_code)
    with pytest.raises(DeviceGone):
        approve_device(tx, mei, begun.user_code, role=TokenRole.READ)
    assert poll_device(tx, begun.device_code, CLIENT).state is PollState.EXPIRED


def test_another_client_does_not_get_the_tokens(tx) -> None:
    mei = add(tx, "mei")
    begun = start(tx)
    approve_device(tx, mei, begun.user_code, role=TokenRole.READ)

    assert poll_device(tx, begun.device_code, "another").state is PollState.EXPIRED
    assert poll_device(tx, "made up", CLIENT).state is PollState.EXPIRED
    assert poll_device(tx, begun.device_code, CLIENT).state is PollState.GRANTED


def test_only_a_person_at_a_browser_approves(tx) -> None:
    mei = add(tx, "mei")
    begun = start(tx)
    token = type(mei)(mei.id, mei.public_id, "mei", token_id=1)

    for actor, refusal in ((NOBODY, SignInNeeded), (token, SessionNeeded)):
        with pytest.raises(refusal):
            read_device(tx, actor, begun.user_code)
        with pytest.raises(refusal):
            approve_device(tx, actor, begun.user_code, role=TokenRole.READ)
        with pytest.raises(refusal):
            deny_device(tx, actor, begun.user_code)


def test_an_answer_is_given_once(tx) -> None:
    mei = add(tx, "mei")
    begun = start(tx)
    deny_device(tx, mei, begun.user_code)

    with pytest.raises(DeviceGone):
        approve_device(tx, mei, begun.user_code, role=TokenRole.WRITE)


def test_many_polls_at_once_get_one_token(db) -> None:
    mei = in_one(db, add, "mei")
    begun = in_one(db, start_device, CLIENT, address="::1")
    in_one(db, approve_device, mei, begun.user_code, role=TokenRole.READ)
    start = threading.Barrier(6)
    answers = []

    def poll() -> None:
        start.wait()
        answers.append(in_one(db, poll_device, begun.device_code, CLIENT).state)

    threads = [threading.Thread(target=poll) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [PollState.EXPIRED] * 5 + [PollState.GRANTED]
    assert len(in_one(db, list_tokens, mei)) == 1


def test_a_refresh_token_works_once_and_replaces_the_access_token(tx) -> None:
    mei = add(tx, "mei")
    old = granted(tx, mei)

    new = refresh_grant(tx, old.refresh_token)

    assert new is not None
    assert authenticate(tx, Credential(CredentialKind.TOKEN, new.access_token)).can_write
    with pytest.raises(TokenRevoked):
        authenticate(tx, Credential(CredentialKind.TOKEN, old.access_token))
    assert refresh_grant(tx, old.refresh_token) is None
    assert len(list_tokens(tx, mei)) == 1


def test_a_refresh_token_works_after_its_access_token_ran_out(tx) -> None:
    old = granted(tx, add(tx, "mei"), TokenRole.READ)
    later(tx, TOKEN_SECONDS + 1)

    new = refresh_grant(tx, old.refresh_token)

    assert new is not None
    assert not authenticate(tx, Credential(CredentialKind.TOKEN, new.access_token)).can_write


def test_revoking_the_access_token_ends_the_refresh_token(tx) -> None:
    mei = add(tx, "mei")
    grant = granted(tx, mei)
    revoke_token(tx, mei, list_tokens(tx, mei)[0].public_id)

    assert refresh_grant(tx, grant.refresh_token) is None


def test_a_refresh_token_ends_some_day(tx) -> None:
    grant = granted(tx, add(tx, "mei"))
    later(tx, REFRESH_SECONDS)

    assert refresh_grant(tx, grant.refresh_token) is None


def states(tx, *begun: DeviceStart) -> list[PollState]:
    return [poll_device(tx, one.device_code, CLIENT).state for one in begun]


def test_strangers_do_not_keep_others_out(tx, monkeypatch) -> None:
    mei = add(tx, "mei")
    monkeypatch.setattr(door, "DEVICES_MAX", 4)
    asking = start(tx)
    states(tx, asking)
    approved = start(tx)
    approve_device(tx, mei, approved.user_code, role=TokenRole.READ)
    silent = []
    for i in range(3):
        later(tx, 1)
        silent.append(start(tx, f"10.0.0.{i}"))

    assert states(tx, *silent) == [PollState.EXPIRED, PollState.PENDING, PollState.PENDING]
    later(tx)
    last = start(tx, "10.0.1.1")
    assert states(tx, asking, approved, last) == [
        *(PollState.EXPIRED, PollState.GRANTED, PollState.PENDING)
    ]


def test_where_all_were_approved_there_is_no_room(tx, monkeypatch) -> None:
    mei = add(tx, "mei")
    monkeypatch.setattr(door, "DEVICES_MAX", 2)
    for _ in range(2):
        approve_device(tx, mei, start(tx).user_code, role=TokenRole.READ)

    with pytest.raises(TooManyDevices):
        start(tx)
    later(tx, DEVICE_SECONDS)
    start_device(tx, "x" * 10_000, address="")


def test_an_address_has_so_many_that_ask(tx, monkeypatch) -> None:
    monkeypatch.setattr(door, "ADDRESS_DEVICES_MAX", 2)
    first, second = start(tx, "2001:db8::1"), start(tx, "2001:db8::2")
    later(tx, 1)
    third = start(tx, "2001:db8::3")

    assert sorted(states(tx, first, second, third)) == [
        *(PollState.PENDING, PollState.PENDING, PollState.EXPIRED)
    ]
    with pytest.raises(TooManyDevices):
        start(tx, "2001:db8::3")
    start(tx, "2001:db8:1::3")
