"""Schema of chunks: xorbs, files made of them, and which chunks clients may ask about."""

from __future__ import annotations

import sqlalchemy as sa

from jishi.core.sql import ID, MICROS, NAME, metadata

_HASH32 = sa.LargeBinary(32)

xorbs = sa.Table(
    "xet_xorb",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("hash", _HASH32, nullable=False, unique=True),
    sa.Column("tag", sa.LargeBinary(4), nullable=False),
    sa.Column("packed", sa.BigInteger, nullable=False),
    sa.Column("raw", sa.BigInteger, nullable=False),
    sa.Column("chunks", sa.Integer, nullable=False),
    sa.Column("state", NAME, nullable=False),
    sa.Column("uploaded_at", MICROS, nullable=False),
    sa.CheckConstraint("state IN ('live', 'condemned')", name="state_known"),
)
"""``hash`` and ``tag`` name the object: offsets in terms are those of this very packing.
``packed`` is where the footer begins.  A condemned xorb waits to be deleted and may be
revived; ``uploaded_at`` moves each time somebody sends it again."""

files = sa.Table(
    "xet_file",
    metadata,
    sa.Column("id", ID, primary_key=True),
    sa.Column("hash", _HASH32, nullable=False, unique=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("terms", sa.LargeBinary, nullable=False),
    sa.Column("created_at", MICROS, nullable=False),
)
"""``terms``: 28 bytes each, see ``xet.terms``."""

members = sa.Table(
    "xet_file_xorb",
    metadata,
    sa.Column("file_id", sa.ForeignKey("xet_file.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("xorb_id", sa.ForeignKey("xet_xorb.id"), primary_key=True),
)
"""Which file needs which xorb: one without a row here is dead."""
sa.Index("xet_file_xorb_by_xorb", members.c.xorb_id, members.c.file_id)

chunks = sa.Table(
    "xet_dedup",
    metadata,
    sa.Column("hash", _HASH32, primary_key=True),
    sa.Column("xorb_id", sa.ForeignKey("xet_xorb.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),
)
"""Chunks that clients ask about: every 1024th by its hash, and the first of each file."""
sa.Index("xet_dedup_xorb", chunks.c.xorb_id)

senders = sa.Table(
    "xet_sender",
    metadata,
    sa.Column("xorb_id", sa.ForeignKey("xet_xorb.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("sender", NAME, primary_key=True),
    sa.Column("sent_at", MICROS, nullable=False),
)
"""Who sent a xorb whole of late, stored before or not: whoever did may build on all of it."""
sa.Index("xet_sender_sent", senders.c.sent_at)

epochs = sa.Table(
    "xet_epoch",
    metadata,
    sa.Column("scope", NAME, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
)
"""Parts of the address under which clients find the store, by person; empty: everybody.
Clients forget what they know of it when the address changes."""
