"""Who holds which bytes: registration, commits, verification."""

from __future__ import annotations

import hashlib

import pytest
import sqlalchemy as sa

from jishi.core.db import Database, Mode, Tx
from jishi.core.tables import jobs
from jishi.hub import content
from jishi.hub.content import ContentMismatch, ContentUnknown, XetFile
from jishi.hub.content import contents as rules
from jishi.hub.content import tables as content_tables
from tests.plans import plan_of

SHA = hashlib.sha256(b"bytes").digest()
OTHER = hashlib.sha256(b"other").digest()
FILE = XetFile(7, b"f" * 32, 100)
FORGED = XetFile(8, b"g" * 32, 100)
BOOKS, SECRETS = 1, 2


def waiting(tx: Tx) -> list[str]:
    return list(tx.conn.execute(sa.select(jobs.c.name).order_by(jobs.c.id)).scalars())


def block(tx: Tx, repo_id: int, sha256: bytes) -> None:
    known = content.find(tx, repo_id, sha256)
    assert known is not None
    rules.settle_verified(tx, known, OTHER)


def test_a_claimed_digest_is_known_here_and_nowhere_else(tx: Tx) -> None:
    content.register_xet(tx, BOOKS, SHA, file=FILE, verified=False)

    known = content.find(tx, BOOKS, SHA)
    assert known is not None
    assert (known.xet_file_id, known.xet_hash, known.size) == (7, FILE.hash, 100)
    assert not known.is_verified
    assert content.find(tx, SECRETS, SHA) is None
    assert content.find_digest(tx, SHA) is None


def test_a_computed_digest_saves_storage_and_proves_nothing(tx: Tx) -> None:
    content.register_xet(tx, BOOKS, SHA, file=FILE, verified=True)

    digest = content.find_digest(tx, SHA)
    assert digest is not None
    assert digest.xet_file_id == FILE.id
    assert content.find(tx, SECRETS, SHA) is None
    with pytest.raises(ContentUnknown):
        content.mark_committed(tx, SECRETS, [SHA])


def test_bytes_that_arrive_again_share_the_storage_of_the_first(tx: Tx) -> None:
    content.register_xet(tx, BOOKS, SHA, file=FILE, verified=True)

    content.register_plain(tx, SECRETS, SHA, size=100)

    known = content.find(tx, SECRETS, SHA)
    assert known is not None
    assert (known.plain_key, known.xet_file_id) == (None, FILE.id)
    assert known.is_verified


def test_a_file_we_once_hashed_is_verified_wherever_it_is_shown(tx: Tx) -> None:
    content.register_xet(tx, BOOKS, SHA, file=FILE, verified=True)

    content.register_xet(tx, SECRETS, SHA, file=FILE, verified=False)

    known = content.find(tx, SECRETS, SHA)
    assert known is not None
    assert known.is_verified


def test_other_bytes_under_a_digest_we_computed_stay_a_claim(tx: Tx) -> None:
    content.register_xet(tx, BOOKS, SHA, file=FILE, verified=True)

    content.register_xet(tx, SECRETS, SHA, file=FORGED, verified=False)

    known = content.find(tx, SECRETS, SHA)
    assert known is not None
    assert not known.is_verified


def test_what_is_settled_is_not_settled_again(tx: Tx) -> None:
    content.register_xet(tx, BOOKS, SHA, file=FILE, verified=False)
    known = content.find(tx, BOOKS, SHA)
    assert known is not None
    rules.settle_verified(tx, known, SHA)

    assert rules.settle_verified(tx, known, OTHER) == []

    assert content.list_blocked(tx, limit=9) == []


def test_a_commit_asks_for_what_is_still_to_do(tx: Tx) -> None:
    content.register_xet(tx, BOOKS, SHA, file=FILE, verified=False)
    content.register_plain(tx, BOOKS, OTHER, size=5)
    content.register_xet(tx, BOOKS, b"v" * 32, file=FORGED, verified=True)

    content.mark_committed(tx, BOOKS, [SHA, OTHER, b"v" * 32])
    content.mark_committed(tx, BOOKS, [SHA, OTHER, b"v" * 32])

    assert waiting(tx) == ["hub.verify_content", "hub.pack_content"]
    assert all(known.is_committed for known in content.find_many(tx, BOOKS, [SHA, OTHER]).values())
    assert content.used_bytes(tx, BOOKS) == 205


def test_a_commit_of_many_contents_needs_few_jobs(tx: Tx) -> None:
    many = [hashlib.sha256(bytes([n // 256, n % 256])).digest() for n in range(1201)]
    for sha256 in many:
        content.register_plain(tx, BOOKS, sha256, size=2)

    content.mark_committed(tx, BOOKS, many)

    assert waiting(tx) == ["hub.pack_content"] * 38
    assert len(content.find_many(tx, BOOKS, many)) == 1201


def test_what_nobody_uploaded_cannot_be_committed(tx: Tx) -> None:
    content.register_plain(tx, BOOKS, SHA, size=5)

    with pytest.raises(ContentUnknown) as refused:
        content.mark_committed(tx, BOOKS, [SHA, OTHER])

    assert OTHER.hex() in str(refused.value)


def test_a_wrong_digest_blocks_every_repository_that_believed_it(tx: Tx) -> None:
    for repo_id in (BOOKS, SECRETS):
        content.register_xet(tx, repo_id, SHA, file=FORGED, verified=False)
        content.mark_committed(tx, repo_id, [SHA])

    known = content.find(tx, BOOKS, SHA)
    assert known is not None
    assert rules.settle_verified(tx, known, OTHER) == [BOOKS, SECRETS]

    assert [found.repo_id for found in content.list_blocked(tx, limit=9)] == [BOOKS, SECRETS]
    with pytest.raises(ContentMismatch):
        content.mark_committed(tx, BOOKS, [SHA])
    assert not content.holds_file(tx, BOOKS, FORGED.id)
    digest = content.find_digest(tx, OTHER)  # what the bytes really are, we know now
    assert digest is not None
    assert digest.xet_file_id == FORGED.id


def test_a_right_digest_is_right_for_every_repository_that_has_the_file(tx: Tx) -> None:
    content.register_xet(tx, BOOKS, SHA, file=FILE, verified=False)
    content.register_xet(tx, SECRETS, SHA, file=FORGED, verified=False)
    known = content.find(tx, BOOKS, SHA)
    assert known is not None

    assert rules.settle_verified(tx, known, SHA) == [BOOKS]

    assert [c.is_verified for r in (BOOKS, SECRETS) if (c := content.find(tx, r, SHA))] == [
        True,
        False,
    ]


def test_blocked_bytes_are_refused_and_other_bytes_heal(tx: Tx) -> None:
    content.register_xet(tx, BOOKS, SHA, file=FORGED, verified=False)
    content.mark_committed(tx, BOOKS, [SHA])
    block(tx, BOOKS, SHA)

    with pytest.raises(ContentMismatch):
        content.register_xet(tx, BOOKS, SHA, file=FORGED, verified=False)
    content.register_xet(tx, BOOKS, SHA, file=FILE, verified=False)

    known = content.find(tx, BOOKS, SHA)
    assert known is not None
    assert (known.xet_file_id, known.is_blocked, known.is_committed) == (FILE.id, False, True)
    assert waiting(tx) == ["hub.verify_content", "hub.verify_content"]


def test_an_upload_by_lfs_heals_a_blocked_content(tx: Tx) -> None:
    content.register_xet(tx, BOOKS, SHA, file=FORGED, verified=False)
    content.mark_committed(tx, BOOKS, [SHA])
    block(tx, BOOKS, SHA)

    content.register_plain(tx, BOOKS, SHA, size=5)

    known = content.find(tx, BOOKS, SHA)
    assert known is not None
    assert known.plain_key == f"lfs/{SHA.hex()[:2]}/{SHA.hex()[2:4]}/{SHA.hex()}"
    assert (known.is_blocked, known.is_verified, known.size) == (False, True, 5)
    assert known.xet_file_id is None
    assert waiting(tx)[-1] == "hub.pack_content"


def test_what_is_verified_cannot_be_replaced_by_a_claim(tx: Tx) -> None:
    content.register_xet(tx, BOOKS, SHA, file=FILE, verified=True)

    content.register_xet(tx, BOOKS, SHA, file=FORGED, verified=False)

    known = content.find(tx, BOOKS, SHA)
    assert known is not None
    assert known.xet_file_id == FILE.id


def test_a_committed_claim_is_not_replaced_by_another_claim(tx: Tx) -> None:
    content.register_xet(tx, BOOKS, SHA, file=FILE, verified=False)
    content.mark_committed(tx, BOOKS, [SHA])

    content.register_xet(tx, BOOKS, SHA, file=FORGED, verified=False)

    known = content.find(tx, BOOKS, SHA)
    assert known is not None
    assert known.xet_file_id == FILE.id


def test_a_pending_claim_gives_way_to_the_next_one(tx: Tx) -> None:
    content.register_xet(tx, BOOKS, SHA, file=FORGED, verified=False)

    content.register_xet(tx, BOOKS, SHA, file=FILE, verified=False)

    known = content.find(tx, BOOKS, SHA)
    assert known is not None
    assert known.xet_file_id == FILE.id


def test_packing_gives_the_chunks_to_all_who_hold_the_bytes(tx: Tx) -> None:
    content.register_plain(tx, BOOKS, SHA, size=100)
    content.register_plain(tx, SECRETS, SHA, size=100)

    rules.settle_packed(tx, SHA, FILE)

    for repo_id in (BOOKS, SECRETS):
        known = content.find(tx, repo_id, SHA)
        assert known is not None
        assert known.plain_key is not None
        assert known.xet_hash == FILE.hash
        assert content.holds_file(tx, repo_id, FILE.id)
    assert not content.holds_file(tx, 3, FILE.id)


def test_the_objects_we_need_are_listed_in_order(tx: Tx) -> None:
    many = sorted(hashlib.sha256(bytes([n])).digest() for n in range(5))
    for sha256 in many:
        content.register_plain(tx, BOOKS, sha256, size=1)
    content.register_xet(tx, BOOKS, SHA, file=FILE, verified=True)

    first = content.list_objects(tx, limit=3)
    rest = content.list_objects(tx, after=first[-1][0], limit=3)

    assert [key[-64:] for key, _ in first + rest] == [sha256.hex() for sha256 in many]


def test_two_at_once_register_one_content(db: Database) -> None:
    with db.begin(Mode.WRITE) as one:
        content.register_plain(one, BOOKS, SHA, size=5)
    with db.begin(Mode.WRITE) as two:
        content.register_plain(two, BOOKS, SHA, size=5)
        count = sa.select(sa.func.count()).select_from(content_tables.contents)
        assert two.conn.execute(count).scalar_one() == 1


@pytest.mark.parametrize(
    ("statement", "values"),
    [
        ("_BLOCKED", {"n": 3}),
        ("_OBJECTS", {"after": "", "n": 3}),
        ("_HOLDS_FILE", {"file": 1, "repo": 1}),
        ("_LOCK", {"repo": 1, "digests": [SHA]}),
    ],
    ids=["blocked", "objects", "holds", "lock"],
)
def test_lists_use_an_index_and_sort_nothing(tx: Tx, statement, values) -> None:
    plan = plan_of(tx, getattr(rules, statement), **values)

    assert not plan.sorts
    assert "hub_content" in plan.text
    assert "SCAN hub_content\n" not in plan.text + "\n"
