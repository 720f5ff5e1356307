"""Log-in of a device, as ``hf auth login`` speaks it (RFC 8628)."""

from __future__ import annotations

import pytest

from jishi.core.db import Mode
from jishi.people.access import load_actor
from jishi.people.devices import approve_device, deny_device
from jishi.people.persons import get_person
from jishi.people.tokens import TokenRole
from tests.wire.hf.asking import Hub

CLIENT = "26be6b09-91c5-47da-9861-d2d2bb7a7e36"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def start(hub: Hub) -> dict[str, str]:
    answer = hub.form("/oauth/device", [("client_id", CLIENT)])
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.json


def poll(hub: Hub, begun: dict[str, str]):
    pairs = [("grant_type", GRANT), ("device_code", begun["device_code"]), ("client_id", CLIENT)]
    return hub.form("/oauth/token", pairs)


def decide(hub: Hub, operation, *args, **kwargs) -> None:
    with hub.node.db.begin(Mode.WRITE) as tx:
        actor = load_actor(tx, get_person(tx, "lin").id)
        operation(tx, actor, *args, **kwargs)


def test_a_device_gets_codes_and_the_page_for_them(hub: Hub) -> None:
    begun = start(hub)

    assert begun["verification_uri"] == "http://hub.test/device"
    assert begun["verification_uri_complete"].endswith(f"/device?user_code={begun['user_code']}")
    assert (begun["interval"], begun["expires_in"]) == (5, 900)


def test_an_approved_device_gets_a_token_that_works_and_renews(hub: Hub) -> None:
    begun = start(hub)
    waiting = poll(hub, begun)
    assert (waiting.status, waiting.json["error"]) == (400, "authorization_pending")

    decide(hub, approve_device, begun["user_code"], role=TokenRole.WRITE)
    granted = poll(hub, begun)

    assert granted.status == 200
    assert granted.headers["Cache-Control"] == "no-store"
    first = granted.json
    assert first["token_type"] == "bearer"
    assert first["access_token"].startswith("hf_")
    whoami = hub.get("/api/whoami-v2", first["access_token"]).json
    assert (whoami["name"], whoami["auth"]["accessToken"]["role"]) == ("lin", "write")

    renewed = refresh(hub, first["refresh_token"])
    assert renewed.status == 200
    assert hub.get("/api/whoami-v2", first["access_token"]).status == 401
    assert hub.get("/api/whoami-v2", renewed.json["access_token"]).status == 200
    again = refresh(hub, first["refresh_token"])
    assert (again.status, again.json["error"]) == (400, "invalid_grant")


def refresh(hub: Hub, token: str):
    pairs = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", CLIENT)]
    return hub.form("/oauth/token", pairs)


def test_a_denied_device_and_a_made_up_code_are_told_so(hub: Hub) -> None:
    begun = start(hub)
    decide(hub, deny_device, begun["user_code"])

    assert poll(hub, begun).json["error"] == "access_denied"
    assert poll(hub, {"device_code": "made up"}).json["error"] == "expired_token"


def test_a_device_that_asks_without_a_pause_is_slowed_down(hub: Hub) -> None:
    begun = start(hub)
    poll(hub, begun)

    assert poll(hub, begun).json["error"] == "slow_down"


@pytest.mark.parametrize(
    "pairs", [[], [("grant_type", "password"), ("username", "lin")], [("grant_type", "")]]
)
def test_other_grants_are_refused_in_the_words_of_the_protocol(hub: Hub, pairs) -> None:
    answer = hub.form("/oauth/token", pairs)

    assert (answer.status, answer.json["error"]) == (400, "unsupported_grant_type")
