"""Signing in, one's own settings, organisations, and people for administrators."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jishi.web.pages.chrome import Chrome


@dataclass(frozen=True, slots=True)
class SignInPage:
    """``people/sign_in.html``.

    Attributes:
        next_url: Where to go afterwards, a path of ours.
        problem: Why it did not work, as in all pages with forms; empty if nothing failed.
            What is wrong with single fields is in ``problems``, where a page has them: by
            field, empty where nothing was typed.
    """

    chrome: Chrome
    name: str
    next_url: str
    may_sign_up: bool
    problem: str


@dataclass(frozen=True, slots=True)
class SetUpPage:
    """``people/set_up.html``: the first administrator, or a new person if ``is_first`` is false."""

    chrome: Chrome
    is_first: bool
    name: str
    full_name: str
    email: str
    problem: str
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PasswordPage:
    """``people/password.html``: an invitation or a reset link.

    Attributes:
        name: Whose password it is.
    """

    chrome: Chrome
    is_invitation: bool
    name: str
    problem: str


@dataclass(frozen=True, slots=True)
class ChangePasswordPage:
    """``people/change_password.html``."""

    chrome: Chrome
    problem: str
    is_done: bool
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProfilePage:
    """``people/profile.html``."""

    chrome: Chrome
    full_name: str
    email: str
    problem: str
    is_done: bool
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TokenRow:
    """An access token as its owner sees it again.

    Attributes:
        role: ``read`` or ``write``.
        tail: Its last characters.
        created_at: Microseconds UTC, as ``used_at``; ``None`` if it was never used.
    """

    public_id: str
    name: str
    role: str
    tail: str
    created_at: int
    used_at: int | None
    expires_at: int | None


@dataclass(frozen=True, slots=True)
class TokensPage:
    """``people/tokens.html``.

    Attributes:
        secret: A token made just now, shown this once; else empty.
        new_name: What the form holds, as ``new_role``.
        done: ``revoked`` or empty.
    """

    chrome: Chrome
    tokens: tuple[TokenRow, ...]
    secret: str
    new_name: str
    new_role: str
    problem: str
    done: str


@dataclass(frozen=True, slots=True)
class DevicePage:
    """``people/device.html``.

    Attributes:
        state: ``ask`` for the code, ``confirm`` it, ``approved`` or ``denied``.
        started_at: Microseconds UTC.
    """

    chrome: Chrome
    state: str
    user_code: str
    started_at: int
    problem: str


@dataclass(frozen=True, slots=True)
class OrgRow:
    """An organisation of the visitor.

    Attributes:
        role: ``read``, ``contributor``, ``write`` or ``admin``.
    """

    name: str
    full_name: str
    role: str


@dataclass(frozen=True, slots=True)
class MyOrgsPage:
    """``people/organizations.html``."""

    chrome: Chrome
    orgs: tuple[OrgRow, ...]


@dataclass(frozen=True, slots=True)
class NewOrgPage:
    """``people/new_organization.html``."""

    chrome: Chrome
    name: str
    full_name: str
    private_by_default: bool
    problem: str
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrgSettingsPage:
    """``people/organization_settings.html``."""

    chrome: Chrome
    name: str
    full_name: str
    private_by_default: bool
    problem: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member of an organisation.

    Attributes:
        since: Microseconds UTC.
    """

    name: str
    full_name: str
    role: str
    since: int


@dataclass(frozen=True, slots=True)
class MembersPage:
    """``people/members.html``.

    Attributes:
        person: What the form for a new member holds, as ``role``.
        done: ``saved``, ``removed`` or empty.
    """

    chrome: Chrome
    org: str
    full_name: str
    members: tuple[MemberRow, ...]
    may_manage: bool
    person: str
    role: str
    next_url: str
    first_url: str
    problem: str
    done: str


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person as administrators see them.

    Attributes:
        created_at: Microseconds UTC.
    """

    name: str
    full_name: str
    email: str
    is_admin: bool
    has_password: bool
    is_active: bool
    created_at: int


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """``people/people.html``.

    Attributes:
        link: An invitation or reset link made just now, shown this once; else empty.
        link_name: For whom.
        link_expires_at: Microseconds UTC.
        name: What the form holds, as ``full_name``, ``email`` and ``as_admin``.
        problem_of: ``invite`` or ``list``: what was refused.
    """

    chrome: Chrome
    people: tuple[PersonRow, ...]
    first_url: str
    next_url: str
    link: str
    link_name: str
    link_expires_at: int
    name: str
    full_name: str
    email: str
    as_admin: bool
    problem: str
    problem_of: str
    problems: Mapping[str, str] = field(default_factory=dict)
