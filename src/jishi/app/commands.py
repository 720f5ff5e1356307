"""What the command line may ask for, beside a running server or without one."""

from __future__ import annotations

from enum import StrEnum, unique
from typing import Final

import msgspec

from jishi.app import doctor
from jishi.app.saying import typed
from jishi.app.settings import Settings
from jishi.core.errors import unreachable
from jishi.core.i18n import N_, translate
from jishi.hub import Node
from jishi.people import OPERATOR, PersonDraft, Role
from jishi.people.links import Link, invite, make_link
from jishi.people.orgs import OrgDraft, create_org, set_member
from jishi.people.tokens import TokenRole, create_token

TOKEN_NAME: Final = "jishi token add"  # noqa: S105  (what its list entry is called)
PASSWORD_PATH: Final = "/password/"  # noqa: S105  (an address)
SET_UP_PATH: Final = "/set-up/"

ADDED = N_("{name} is an organisation now. Add members with: {command}")
JOINED = N_("{name} has the role {role} in {org} now.")
LINK_LASTS = N_("The link works once, for 7 days.")


@unique
class MemberRole(StrEnum):
    """Roles as they are typed."""

    READ = "read"
    CONTRIBUTOR = "contributor"
    WRITE = "write"
    ADMIN = "admin"


@unique
class Visibility(StrEnum):
    """How repositories of an organisation begin."""

    PUBLIC = "public"
    PRIVATE = "private"


class AddUser(msgspec.Struct, tag="user_add", forbid_unknown_fields=True):
    """``jishi user add``."""

    name: str
    full_name: str = ""
    email: str = ""
    admin: bool = False

    @property
    def draft(self) -> PersonDraft:
        """The person, as ``people`` takes one."""
        return PersonDraft(self.name, self.full_name, self.email, self.admin)


class LinkUser(msgspec.Struct, tag="user_link", forbid_unknown_fields=True):
    """``jishi user link``."""

    name: str


class AddToken(msgspec.Struct, tag="token_add", forbid_unknown_fields=True):
    """``jishi token add``."""

    name: str
    role: TokenRole


class AddOrg(msgspec.Struct, tag="org_add", forbid_unknown_fields=True):
    """``jishi org add``.

    Attributes:
        program: How the caller starts the command, quoted.
    """

    name: str
    full_name: str = ""
    default_visibility: Visibility = Visibility.PUBLIC
    program: str = "jishi"


class AddMember(msgspec.Struct, tag="org_member_add", forbid_unknown_fields=True):
    """``jishi org member add``."""

    org: str
    name: str
    role: MemberRole


class Examine(msgspec.Struct, tag="doctor", forbid_unknown_fields=True):
    """``jishi doctor``."""

    as_json: bool = False


Command = AddUser | LinkUser | AddToken | AddOrg | AddMember | Examine


class Outcome(msgspec.Struct):
    """What a command prints, and whether all is well.

    Attributes:
        out: Results, for standard output.
        notes: For people, on standard error.
    """

    out: list[str]
    notes: list[str] = []
    ok: bool = True


async def run_command(  # noqa: RET503  (``unreachable`` never returns)
    node: Node, settings: Settings, command: Command, *, locale: str, is_server: bool
) -> Outcome:
    """Do what a command asks; whoever reaches this may do everything.

    Args:
        is_server: Whether this process also serves.

    Raises:
        Refusal: As the operation says no.
    """
    match command:
        case AddUser():
            invitation = await node.db.write(invite, OPERATOR, command.draft)
            return _link(settings, invitation.link, locale)
        case LinkUser():
            link = await node.db.write(make_link, OPERATOR, command.name)
            return _link(settings, link, locale)
        case AddToken():
            minted = await node.db.write(
                create_token, OPERATOR, name=TOKEN_NAME, role=command.role, owner=command.name
            )
            return Outcome([minted.secret])
        case AddOrg():
            private = command.default_visibility is Visibility.PRIVATE
            org = await node.db.write(
                create_org, OPERATOR, OrgDraft(command.name, command.full_name, private)
            )
            words = ("org", "member", "add", org.name, "NAME")
            again = typed(command.program, *words, folder=settings.folder)
            return Outcome([], [translate(ADDED, locale).format(name=org.name, command=again)])
        case AddMember():
            role = Role[command.role.name]
            await node.db.write(set_member, OPERATOR, command.org, command.name, role)
            word = translate(command.role.value, locale)
            said = translate(JOINED, locale)
            return Outcome([], [said.format(name=command.name, role=word, org=command.org)])
        case Examine():
            report = await doctor.examine(node, settings, is_server=is_server)
            lines = report.as_json() if command.as_json else report.lines(locale)
            return Outcome(lines, ok=report.is_healthy)
    unreachable(command)


def _link(settings: Settings, link: Link, locale: str) -> Outcome:
    address = f"{settings.url}{PASSWORD_PATH}{link.secret}"
    return Outcome([address], [translate(LINK_LASTS, locale)])
