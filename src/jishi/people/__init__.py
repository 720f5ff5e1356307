"""Who is acting and what they may do: people, organisations, credentials.

Hides: names and their rules, password hashes, how secrets are stored, limits on guessing.
Shows: ``Actor`` and its roles; ``identify``; accounts; sign-in and links that work once.
``people.names``, ``people.orgs``, ``people.tokens``, ``people.sessions``, ``people.links``
and ``people.devices`` are doors of their own.
"""

from __future__ import annotations

from jishi.people.access import (
    Credential,
    CredentialKind,
    SessionEnded,
    authenticate,
    find_actor,
)
from jishi.people.actors import (
    NOBODY,
    OPERATOR,
    Actor,
    Denied,
    ReadOnlyToken,
    Role,
    SignInNeeded,
)
from jishi.people.flows import (
    accept_link,
    change_password,
    flush_uses,
    identify,
    set_up,
    sign_in,
)
from jishi.people.gate import Gate
from jishi.people.names import Namespace, find_namespace
from jishi.people.passwords import hash_password
from jishi.people.persons import (
    Person,
    PersonDraft,
    add_person,
    get_people,
    get_person,
    list_people,
)
from jishi.people.settings import Settings
from jishi.people.sweep import sweep

__all__ = [
    "NOBODY",
    "OPERATOR",
    "Actor",
    "Credential",
    "CredentialKind",
    "Denied",
    "Gate",
    "Namespace",
    "Person",
    "PersonDraft",
    "ReadOnlyToken",
    "Role",
    "SessionEnded",
    "Settings",
    "SignInNeeded",
    "accept_link",
    "add_person",
    "authenticate",
    "change_password",
    "find_actor",
    "find_namespace",
    "flush_uses",
    "get_people",
    "get_person",
    "hash_password",
    "identify",
    "list_people",
    "set_up",
    "sign_in",
    "sweep",
]
