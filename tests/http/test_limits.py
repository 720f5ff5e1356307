"""The page of limits says what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from jishi.git.smart import ahead
from jishi.http import body, connections, edge, markdown, renderer, rendering, sendfile, server
from jishi.hub import attributes, card, commits, paths
from jishi.hub.cas import links as data_links
from jishi.hub.cas import passes, registering
from jishi.hub.content.lfs import transfers, uploads
from jishi.people import attempts, devices, links, sessions, tokens
from jishi.wire.git import smart
from jishi.wire.hf import commits as hf_commits
from jishi.wire.hf import files as hf_files
from jishi.wire.hf import ndjson
from jishi.wire.hf import repos as hf_repos
from jishi.xet.formats import chunks, shards, xorbs

PAGE = Path(__file__).resolve().parents[2] / "docs" / "en" / "reference" / "limits.md"

LIMITS = {
    "head of a request": (edge.HEAD_BYTES_MAX,),
    "time for a head": (edge.HEAD_SECONDS_MAX,),
    "a body that does not come on": (sendfile.STALL_SECONDS_MAX,),
    "an idle connection": (server.KEEP_ALIVE_SECONDS,),
    "a body that is held in memory": (body.BODY_SECONDS, body.BODY_RATE_MIN),
    "connections together": (connections.CONNECTIONS_MAX,),
    "the rest of a refused body": (edge.DRAIN_BYTES_MAX,),
    "running requests after SIGTERM": (server.SHUTDOWN_SECONDS_MAX,),
    "JSON and forms": (body.BODY_BYTES_MAX,),
    "new repository": (hf_repos.CARD_BODY_BYTES_MAX,),
    "`preupload`": (hf_commits.PREUPLOAD_BYTES_MAX, hf_commits.PREUPLOAD_FILES_MAX),
    "`paths-info`": (hf_files.PATHS_BODY_BYTES_MAX, hf_files.PATHS_MAX),
    "a commit, spooled": (hf_commits.COMMIT_BYTES_MAX,),
    "a line of a commit": (ndjson.LINE_BYTES_MAX,),
    "operations of a commit": (commits.CHANGES_MAX,),
    "a file that Git itself holds": (attributes.REGULAR_BYTES_MAX,),
    "a path": (paths.PATH_BYTES_MAX, paths.SEGMENT_BYTES_MAX, paths.DEPTH_MAX),
    "`git-upload-pack`": (smart.BODY_BYTES_MAX,),
    "a large file": (transfers.OBJECT_BYTES_MAX,),
    "LFS in parts above": (uploads.PART_BYTES, uploads.UPLOAD_SECONDS // 3600),
    "parts of one LFS batch": (transfers.PARTS_MAX,),
    "what Git said and a slow client": (
        *(ahead.FILE_BYTES_MAX, ahead.FILES_BYTES_MAX),
        *(ahead.PACE_BYTES, int(ahead.PACE_SECONDS)),
    ),
    "a xorb": (xorbs.XORB_RAW_MAX, xorbs.XORB_CHUNKS_MAX, chunks.CHUNK_BYTES_MAX),
    "a shard": (shards.SHARD_BYTES_MAX, shards.FILES_MAX),
    "a file whose SHA-256 is computed": (registering.HASHED_BYTES_MAX,),
    "a Xet pass": (passes.PASS_SECONDS, passes.GRACE_SECONDS),
    "a link to bytes of a xorb": (data_links.LINK_SECONDS,),
    "a card's front matter": (card.CARD_BYTES_MAX, card.CARD_DEPTH_MAX),
    "Markdown that is rendered": (markdown.SOURCE_CHARS_MAX,),
    "a card, or code that is coloured": (
        *(renderer.SECONDS_MAX, renderer.MEMORY_BYTES_MAX),
        rendering.WAITING_MAX,
    ),
    "wrong passwords for a name": (attempts.NAME_TRIES_MAX, attempts.WINDOW_SECONDS),
    "wrong passwords from an address": (attempts.ADDRESS_TRIES_MAX, attempts.WINDOW_SECONDS),
    "`hf auth login` waiting": (devices.ADDRESS_DEVICES_MAX, devices.DEVICE_SECONDS),
    "a session": (sessions.SESSION_DAYS, sessions.SESSIONS_MAX),
    "access tokens": (tokens.TOKENS_MAX,),
    "invitation and reset links": (links.LINK_DAYS,),
}
ROWS = {
    cells[1].strip(): cells[2].split()
    for cells in (line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines())
    if len(cells) == 5
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_is_written_as_it_is(name: str) -> None:
    (words,) = (words for row, words in ROWS.items() if row.startswith(name))

    for limit in LIMITS[name]:
        assert str(limit) in words


def test_multipart_begins_where_the_page_says() -> None:
    assert transfers.MULTIPART_BYTES_MIN == 128 << 20
