"""History: commits of a revision or a file, and what one of them changed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import islice
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from jishi.core.hop import hop
from jishi.http import context_of
from jishi.hub import RepoKind
from jishi.hub.files import FileChange, Place, find_place, list_commits, read_commit
from jishi.web.addresses import LISTS, at_revision, repo_url, with_query
from jishi.web.answers import chrome_of, show
from jishi.web.handlers.files import change_of, read_revisions
from jishi.web.handlers.repos import read_head, repo_path
from jishi.web.pages.files import CommitPage, CommitsPage, DiffLine, FileDiff

COMMITS_ROWS: Final = 50
LINES_MAX: Final = 3_000
"""Lines of differences on one page; files after that show only their names."""
MARKED_CHARS_MAX: Final = 500
"""Longer lines get no marks within them."""
MARKED_WORDS_MAX: Final = 100
"""Nor do lines of more words and signs: the time grows with their square and faster."""
MARKED_PAIRS_MAX: Final = 1_000_000
"""Words compared with words on one page, 0.1 µs each; lines after that get no marks."""
ALIKE_MIN: Final = 0.4
"""Lines that have less in common were not changed but replaced."""
_HUNK: Final = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_POINTER: Final = "version https://git-lfs.github.com/spec/v1"


async def read_history(request: Request, kind: RepoKind) -> Response:
    """``GET /{ns}/{name}/commits/{rev}[/{path...}]``."""
    context = context_of(request)
    revision, file = request.path_params["rev"], request.path_params.get("path", "")
    after = request.query_params.get("after") or None
    place = await find_place(context.node, context.actor, kind, repo_path(request), revision)
    found = await list_commits(
        context.node, place, path=file or None, after=after, limit=COMMITS_ROWS
    )
    repo = repo_url(kind, place.repo.path)
    here = at_revision(repo, "commits", revision, file)
    changes = [change_of(place, info) for info in found.items]
    page = CommitsPage(
        chrome=chrome_of(context, way=LISTS[kind]),
        head=await read_head(request, place, "history"),
        revisions=await read_revisions(request, place, "commits", file),
        file=file,
        file_url=at_revision(repo, "blob", revision, file),
        changes=tuple(change for change in changes if change is not None),
        first_url=here if after else "",
        next_url=with_query(here, {"after": found.end}) if found.end else "",
    )
    return show(request, "hub/commits.html", page)


async def show_commit(request: Request, kind: RepoKind) -> Response:
    """``GET /{ns}/{name}/commit/{oid}``."""
    context = context_of(request)
    oid = request.path_params["oid"]
    place = await find_place(context.node, context.actor, kind, repo_path(request), oid)
    detail = await read_commit(context.node, place)
    change = change_of(place, detail.info)
    assert change is not None
    repo = repo_url(kind, place.repo.path)
    head = await read_head(request, place, "history")
    page = CommitPage(
        chrome=chrome_of(context, way=LISTS[kind]),
        head=head,
        change=change,
        message=detail.info.message.strip(),
        parents=tuple((each, f"{repo}/commit/{each}") for each in detail.info.parents),
        tree_url=at_revision(repo, "tree", detail.info.oid),
        files=await hop(context.node.pool, _files, place, detail.info.oid, detail.changes),
        is_cut=detail.is_cut,
    )
    return show(request, "hub/commit.html", page)


class _Marks:
    """What may still be spent on marks within lines."""

    def __init__(self) -> None:
        self.left = MARKED_PAIRS_MAX

    def spend(self, old: Sequence[str], new: Sequence[str]) -> bool:
        """Whether two lines of these words may be compared."""
        if max(len(old), len(new)) > MARKED_WORDS_MAX:
            return False
        self.left -= len(old) * len(new)
        return self.left >= 0


def _files(place: Place, oid: str, changes: Sequence[FileChange]) -> tuple[FileDiff, ...]:
    """Return what to show of each file; up to a second of work, off the loop."""
    return tuple(_each_file(place, oid, changes))


def _each_file(place: Place, oid: str, changes: Sequence[FileChange]) -> Iterator[FileDiff]:
    repo = repo_url(place.repo.kind, place.repo.path)
    left, marks = LINES_MAX, _Marks()
    for change in changes:
        lines, why = _lines(change, left, marks)
        left -= len(lines)
        url = "" if change.kind == "delete" else at_revision(repo, "blob", oid, change.path)
        text = "" if why == "large" else change.diff or ""
        added = sum(row.startswith("+") for row in _body(text))
        removed = sum(row.startswith("-") for row in _body(text))
        yield FileDiff(change.path, url, change.kind, added, removed, lines, why)


def _lines(change: FileChange, left: int, marks: _Marks) -> tuple[tuple[DiffLine, ...], str]:
    """Return the lines to show, or why none are."""
    if change.diff is None:
        return (), "binary"
    if _POINTER in change.diff:
        return (), "large"
    lines = list(islice(_number(change.diff), left + 1))
    return (tuple(_mark(lines, marks)), "") if len(lines) <= left else ((), "long")


def _body(diff: str) -> list[str]:
    """Return the lines of a unified diff from its first hunk on."""
    rows = diff.split("\n")
    start = next((index for index, row in enumerate(rows) if row.startswith("@@")), len(rows))
    return rows[start:]


def _number(diff: str) -> Iterator[DiffLine]:
    old = new = 0
    for row in _body(diff):
        hunk = _HUNK.match(row)
        if hunk is not None:
            old, new = int(hunk[1]), int(hunk[2])
            yield DiffLine("hunk", None, None, ((row, False),))
        elif row.startswith("+"):
            yield DiffLine("add", None, new, ((row[1:], False),))
            new += 1
        elif row.startswith("-"):
            yield DiffLine("del", old, None, ((row[1:], False),))
            old += 1
        elif row.startswith(" "):
            yield DiffLine("same", old, new, ((row[1:], False),))
            old, new = old + 1, new + 1


def _mark(lines: list[DiffLine], marks: _Marks) -> list[DiffLine]:
    """Mark what changed within a line, where as many lines came as went."""
    index = 0
    while index < len(lines):
        gone = _run(lines, index, "del")
        come = _run(lines, index + gone, "add")
        if gone and gone == come:
            for offset in range(gone):
                first, second = index + offset, index + gone + offset
                lines[first], lines[second] = _pair(lines[first], lines[second], marks)
        index += gone + come or 1
    return lines


def _run(lines: Sequence[DiffLine], start: int, kind: str) -> int:
    end = start
    while end < len(lines) and lines[end].kind == kind:
        end += 1
    return end - start


def _pair(gone: DiffLine, come: DiffLine, marks: _Marks) -> tuple[DiffLine, DiffLine]:
    before, after = gone.pieces[0][0], come.pieces[0][0]
    if max(len(before), len(after)) > MARKED_CHARS_MAX:
        return gone, come
    old, new = _words(before), _words(after)
    if not marks.spend(old, new):
        return gone, come
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    if matcher.quick_ratio() < ALIKE_MIN or matcher.ratio() < ALIKE_MIN:
        return gone, come
    left: list[tuple[str, bool]] = []
    right: list[tuple[str, bool]] = []
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        left.append(("".join(old[i1:i2]), tag != "equal"))
        right.append(("".join(new[j1:j2]), tag != "equal"))
    return (
        DiffLine(gone.kind, gone.old, gone.new, tuple(piece for piece in left if piece[0])),
        DiffLine(come.kind, come.old, come.new, tuple(piece for piece in right if piece[0])),
    )


def _words(line: str) -> list[str]:
    return re.findall(r"[A-Za-z0-9_]+|\s+|.", line)
