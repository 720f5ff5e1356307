"""People, organisations, credentials."""

from __future__ import annotations

import sqlalchemy as sa

from jishi.core.sql import ID, MICROS, NAME
from jishi.migrations.runner import Op

schema = sa.MetaData()

_DIGEST = sa.LargeBinary(32)

namespaces = sa.Table(
    "people_namespace",
    schema,
    sa.Column("id", ID, primary_key=True),
    sa.Column("public_id", NAME, nullable=False, unique=True),
    sa.Column("name", NAME, nullable=False),
    sa.Column("name_key", NAME, nullable=False, unique=True),
    sa.Column("kind", NAME, nullable=False),
    sa.Column("full_name", sa.Text, nullable=False),
    sa.Column("created_at", MICROS, nullable=False),
    sa.CheckConstraint("kind IN ('person', 'organisation')", name="kind_known"),
)
sa.Index("people_namespace_by_kind", namespaces.c.kind, namespaces.c.name_key)

persons = sa.Table(
    "people_person",
    schema,
    sa.Column("id", sa.ForeignKey("people_namespace.id"), primary_key=True),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("email_key", NAME, unique=True),
    sa.Column("password", sa.Text),
    sa.Column("is_admin", sa.Boolean, nullable=False),
    sa.Column("inactive_since", MICROS),
)

orgs = sa.Table(
    "people_org",
    schema,
    sa.Column("id", sa.ForeignKey("people_namespace.id"), primary_key=True),
    sa.Column("private_by_default", sa.Boolean, nullable=False),
)

members = sa.Table(
    "people_member",
    schema,
    sa.Column("org_id", sa.ForeignKey("people_org.id"), primary_key=True),
    sa.Column("person_id", sa.ForeignKey("people_person.id"), primary_key=True),
    sa.Column("person_key", NAME, nullable=False),
    sa.Column("role", sa.Integer, nullable=False),
    sa.Column("since", MICROS, nullable=False),
    sa.CheckConstraint("role BETWEEN 1 AND 4", name="role_known"),
)
sa.Index("people_member_person", members.c.person_id)
sa.Index("people_member_by_name", members.c.org_id, members.c.person_key)

tokens = sa.Table(
    "people_token",
    schema,
    sa.Column("id", ID, primary_key=True),
    sa.Column("public_id", NAME, nullable=False, unique=True),
    sa.Column("sha256", _DIGEST, nullable=False, unique=True),
    sa.Column("person_id", sa.ForeignKey("people_person.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", NAME, nullable=False),
    sa.Column("tail", NAME, nullable=False),
    sa.Column("created_at", MICROS, nullable=False),
    sa.Column("used_at", MICROS),
    sa.Column("expires_at", MICROS),
    sa.Column("revoked_at", MICROS),
    sa.CheckConstraint("role IN ('read', 'write')", name="role_known"),
)
_alive = tokens.c.revoked_at.is_(None)
sa.Index(
    "people_token_person",
    tokens.c.person_id,
    tokens.c.id,
    sqlite_where=_alive,
    postgresql_where=_alive,
)

sessions = sa.Table(
    "people_session",
    schema,
    sa.Column("sha256", _DIGEST, primary_key=True),
    sa.Column("person_id", sa.ForeignKey("people_person.id"), nullable=False, index=True),
    sa.Column("created_at", MICROS, nullable=False),
    sa.Column("expires_at", MICROS, nullable=False, index=True),
)

links = sa.Table(
    "people_link",
    schema,
    sa.Column("sha256", _DIGEST, primary_key=True),
    sa.Column("person_id", sa.ForeignKey("people_person.id"), index=True),
    sa.Column("purpose", NAME, nullable=False),
    sa.Column("created_at", MICROS, nullable=False),
    sa.Column("expires_at", MICROS),
    sa.CheckConstraint("purpose IN ('invitation', 'reset', 'set_up')", name="purpose_known"),
)

devices = sa.Table(
    "people_device",
    schema,
    sa.Column("sha256", _DIGEST, primary_key=True),
    sa.Column("user_code", NAME, nullable=False, unique=True),
    sa.Column("client_id", NAME, nullable=False),
    sa.Column("state", NAME, nullable=False),
    sa.Column("person_id", sa.ForeignKey("people_person.id"), index=True),
    sa.Column("role", NAME),
    sa.Column("network", _DIGEST, nullable=False, index=True),
    sa.Column("created_at", MICROS, nullable=False),
    sa.Column("expires_at", MICROS, nullable=False, index=True),
    sa.Column("polled_at", MICROS),
    sa.CheckConstraint("state IN ('pending', 'approved', 'denied')", name="state_known"),
)

refreshes = sa.Table(
    "people_refresh",
    schema,
    sa.Column("sha256", _DIGEST, primary_key=True),
    sa.Column("token_id", sa.ForeignKey("people_token.id"), nullable=False, index=True),
    sa.Column("expires_at", MICROS, nullable=False, index=True),
)


def up(op: Op) -> None:
    """Create the tables of people."""
    op.create(schema)
