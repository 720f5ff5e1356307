"""Log-in of a device, RFC 8628, as ``hf auth login`` speaks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from jishi.http import context_of, read_form, reply
from jishi.people.devices import Grant, PollState, poll_device, refresh_grant, start_device
from jishi.wire.hf.addresses import single

Form = Mapping[str, Sequence[str]]

DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
NOT_STORED: Final = {"Cache-Control": "no-store"}
DEVICE_PAGE: Final = "/device"


async def start(request: Request) -> Response:
    """``POST /oauth/device``: a code for the device, another one for its person."""
    context = context_of(request)
    form = await read_form(request)
    client_id = _field(form, "client_id")
    begun = await context.db.write(start_device, client_id, address=context.address)
    page = f"{context.base}{DEVICE_PAGE}"
    shape = {
        "device_code": begun.device_code,
        "user_code": begun.user_code,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={begun.user_code}",
        "expires_in": begun.expires_seconds,
        "interval": begun.interval_seconds,
    }
    return reply(shape, headers=NOT_STORED)


async def token(request: Request) -> Response:
    """``POST /oauth/token``: a device asks whether it was approved, or for fresh tokens.

    Errors are the words of RFC 6749 §5.2 and RFC 8628 §3.5 with 400: the client branches
    on ``error`` and goes on polling over anything else.
    """
    form = await read_form(request)
    grant_type = _field(form, "grant_type")
    if grant_type == DEVICE_GRANT:
        return await _poll(request, form)
    if grant_type == "refresh_token":
        return await _refresh(request, form)
    return _error("unsupported_grant_type", "Only device_code and refresh_token.")


async def _poll(request: Request, form: Form) -> Response:
    code, client_id = _field(form, "device_code"), _field(form, "client_id")
    answer = await context_of(request).db.write(poll_device, code, client_id)
    if answer.grant is not None:
        return _granted(answer.grant)
    return _error(answer.state.value, _TEXTS[answer.state])


async def _refresh(request: Request, form: Form) -> Response:
    refresh_token = _field(form, "refresh_token")
    grant = await context_of(request).db.write(refresh_grant, refresh_token)
    if grant is None:
        return _error("invalid_grant", "This refresh token was used, revoked or has expired.")
    return _granted(grant)


def _granted(grant: Grant) -> Response:
    shape = {
        "access_token": grant.access_token,
        "refresh_token": grant.refresh_token,
        "expires_in": grant.expires_seconds,
        "token_type": "bearer",
    }
    return reply(shape, headers=NOT_STORED)


def _error(word: str, text: str) -> Response:
    return reply({"error": word, "error_description": text}, status=400, headers=NOT_STORED)


def _field(form: Form, name: str) -> str:
    return form.get(name, ("",))[0]


_TEXTS: Final = {
    PollState.PENDING: "The code was not approved yet.",
    PollState.SLOW_DOWN: "Ask less often.",
    PollState.DENIED: "The log-in was turned down.",
    PollState.EXPIRED: "This device code is unknown or has expired.",
    PollState.GRANTED: "",
}

ROUTES: Final = (single("POST", "/oauth/device", start), single("POST", "/oauth/token", token))
