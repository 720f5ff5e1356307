"""Coming in: sign-in, set-up, links for choosing a password, programs; and going out."""

from __future__ import annotations

from typing import ClassVar, Final

from starlette.requests import Request
from starlette.responses import Response

from jishi import people
from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.http import (
    context_of,
    drop_session_cookie,
    give_session_cookie,
    read_form,
    session_secret,
)
from jishi.people import PersonDraft
from jishi.people.devices import approve_device, deny_device, read_device
from jishi.people.flows import SignUpClosed
from jishi.people.flows import sign_up as people_sign_up
from jishi.people.links import LinkGone, LinkPurpose, read_link
from jishi.people.sessions import SESSION_DAYS, Opened, end_all_sessions, end_session
from jishi.people.settings import SignUp
from jishi.people.tokens import TokenRole
from jishi.web.answers import (
    chrome_of,
    field,
    said,
    said_of_fields,
    secret_field,
    see_other,
    show,
    status_of,
)
from jishi.web.pages.people import DevicePage, PasswordPage, SetUpPage, SignInPage

SESSION_SECONDS: Final = SESSION_DAYS * 86_400
NEXT_CHARS_MAX: Final = 2_000


class SetUpGone(Refusal):
    """Somebody administers this installation, or a later start printed another link."""

    code: ClassVar[str] = "web.set_up_gone"
    kind: ClassVar[Kind] = Kind.MISSING
    text: ClassVar[str] = N_(
        "If the first account is made, sign in with it. If not, the terminal shows a new link "
        "whenever the server starts; only the latest one works."
    )


async def read_sign_in(request: Request) -> Response:
    """``GET /sign-in``."""
    context = context_of(request)
    next_url = _own(request.query_params.get("next", ""))
    if not context.actor.is_anonymous:
        return see_other(next_url or "/")
    page = SignInPage(chrome_of(context), "", next_url, _may_sign_up(request), "")
    return show(request, "people/sign_in.html", page)


async def sign_in(request: Request) -> Response:
    """``POST /sign-in``."""
    context = context_of(request)
    form = await read_form(request)
    name, next_url = field(form, "name"), _own(field(form, "next"))
    password = secret_field(form, "password")
    try:
        opened = await people.sign_in(context.node.gate, name, password, address=context.address)
    except Refusal as refusal:
        may, problem = _may_sign_up(request), said(request, refusal)
        page = SignInPage(chrome_of(context), name, next_url, may, problem)
        return show(request, "people/sign_in.html", page, status=status_of(refusal, context))
    return _let_in(request, opened, next_url or "/")


async def sign_out(request: Request) -> Response:
    """``POST /sign-out``: this browser, or all of them."""
    context = context_of(request)
    form = await read_form(request)
    if field(form, "everywhere") and not context.actor.is_anonymous:
        context.actor.require_session()
        await context.db.write(end_all_sessions, context.actor.id)
    elif session_secret(request):
        await context.db.write(end_session, session_secret(request))
    response = see_other("/")
    drop_session_cookie(response, context)
    return response


async def read_set_up(request: Request) -> Response:
    """``GET /set-up/{secret}``."""
    context = context_of(request)
    try:
        view = await context.db.read(read_link, request.path_params["secret"])
    except LinkGone as gone:
        raise SetUpGone from gone
    if view.purpose is not LinkPurpose.SET_UP:
        raise SetUpGone
    page = SetUpPage(chrome_of(context), True, "", "", "", "")  # noqa: FBT003  (the first)
    return show(request, "people/set_up.html", page, secret=True)


async def set_up(request: Request) -> Response:
    """``POST /set-up/{secret}``."""
    context = context_of(request)
    form = await read_form(request)
    draft = PersonDraft(field(form, "name"), field(form, "full_name"), field(form, "email"))
    password, secret = secret_field(form, "password"), request.path_params["secret"]
    try:
        opened = await people.set_up(context.node.gate, secret, draft, password)
    except LinkGone as gone:
        raise SetUpGone from gone
    except Refusal as refusal:
        return await _show_draft(request, draft, password, refusal, is_first=True)
    return _let_in(request, opened, "/")


async def read_sign_up(request: Request) -> Response:
    """``GET /sign-up``, where the operator lets everybody in."""
    context = context_of(request)
    if not _may_sign_up(request):
        raise SignUpClosed
    page = SetUpPage(chrome_of(context), False, "", "", "", "")  # noqa: FBT003  (one of many)
    return show(request, "people/set_up.html", page)


async def sign_up(request: Request) -> Response:
    """``POST /sign-up``."""
    context = context_of(request)
    form = await read_form(request)
    draft = PersonDraft(field(form, "name"), field(form, "full_name"), field(form, "email"))
    password = secret_field(form, "password")
    try:
        opened = await people_sign_up(context.node.gate, draft, password, address=context.address)
    except Refusal as refusal:
        return await _show_draft(request, draft, password, refusal, is_first=False)
    return _let_in(request, opened, "/")


async def read_password_link(request: Request) -> Response:
    """``GET /password/{secret}``: an invitation or a reset link."""
    page = await _password_page(request, "")
    return show(request, "people/password.html", page, secret=True)


async def accept_password_link(request: Request) -> Response:
    """``POST /password/{secret}``."""
    context = context_of(request)
    form = await read_form(request)
    secret = request.path_params["secret"]
    try:
        opened = await people.accept_link(context.node.gate, secret, secret_field(form, "password"))
    except LinkGone:
        raise
    except Refusal as refusal:
        page = await _password_page(request, said(request, refusal))
        status = status_of(refusal, context)
        return show(request, "people/password.html", page, status=status, secret=True)
    return _let_in(request, opened, "/")


async def read_device_page(request: Request) -> Response:
    """``GET /device``: type the code, or look at who asks."""
    context = context_of(request)
    context.actor.require_session()
    code = request.query_params.get("user_code", "")
    page = DevicePage(chrome_of(context), "ask", code, 0, "")
    if not code:
        return show(request, "people/device.html", page)
    try:
        view = await context.db.read(read_device, context.actor, code)
    except Refusal as refusal:
        wrong = DevicePage(page.chrome, "ask", code, 0, said(request, refusal))
        return show(request, "people/device.html", wrong, status=status_of(refusal, context))
    found = DevicePage(page.chrome, "confirm", view.user_code, view.started_at, "")
    return show(request, "people/device.html", found)


async def answer_device(request: Request) -> Response:
    """``POST /device``."""
    context = context_of(request)
    form = await read_form(request)
    code, approves = field(form, "user_code"), field(form, "answer") == "approve"
    role = TokenRole.WRITE if field(form, "role") == "write" else TokenRole.READ
    try:
        if approves:
            await context.db.write(approve_device, context.actor, code, role=role)
        else:
            await context.db.write(deny_device, context.actor, code)
    except Refusal as refusal:
        page = DevicePage(chrome_of(context), "ask", code, 0, said(request, refusal))
        return show(request, "people/device.html", page, status=status_of(refusal, context))
    state = "approved" if approves else "denied"
    page = DevicePage(chrome_of(context), state, "", 0, "")
    return show(request, "people/device.html", page)


def _let_in(request: Request, opened: Opened, url: str) -> Response:
    response = see_other(url)
    give_session_cookie(response, context_of(request), opened.secret, max_age=SESSION_SECONDS)
    return response


async def _show_draft(
    request: Request, draft: PersonDraft, password: str, refusal: Refusal, *, is_first: bool
) -> Response:
    context = context_of(request)
    typed = {"name": draft.name, "full_name": draft.full_name, "email": draft.email}
    problem, beside = await said_of_fields(request, refusal, **typed, password=password)
    page = SetUpPage(
        chrome=chrome_of(context), is_first=is_first, **typed, problem=problem, problems=beside
    )
    status = status_of(refusal, context)
    return show(request, "people/set_up.html", page, status=status, secret=True)


async def _password_page(request: Request, problem: str) -> PasswordPage:
    context = context_of(request)
    view = await context.db.read(read_link, request.path_params["secret"])
    if view.name is None:
        raise LinkGone
    is_invitation = view.purpose is LinkPurpose.INVITATION
    return PasswordPage(chrome_of(context), is_invitation, view.name, problem)


def _may_sign_up(request: Request) -> bool:
    return context_of(request).node.gate.settings.sign_up is SignUp.OPEN


def _own(url: str) -> str:
    """Return ``url`` if it is a path of ours; two slashes of any kind are another host."""
    is_ours = url.startswith("/") and not url.startswith("//") and "\\" not in url
    is_plain = url.isprintable() and len(url) <= NEXT_CHARS_MAX
    return url if is_ours and is_plain else ""
