"""Files of a repository: folders, single files, their history, commits."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from jishi.web.pages.chrome import Chrome
from jishi.web.pages.repos import RepoHead


@dataclass(frozen=True, slots=True)
class Revisions:
    """The menu of branches and tags; names with addresses of this page there.

    Attributes:
        chosen: What this page shows; a commit if ``is_commit``.
    """

    chosen: str
    is_commit: bool
    branches: tuple[tuple[str, str], ...]
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Crumb:
    """A folder on the way to where we are; without an address for the last."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Change:
    """A commit in one line.

    Attributes:
        at: Microseconds UTC.
    """

    oid: str
    url: str
    title: str
    author: str
    at: int


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A file or folder in a listing.

    Attributes:
        size: Bytes; ``None`` for a folder.
        is_large: Kept outside of Git.
        is_blocked: Its bytes are not what was promised.
        last: The commit that changed it last.
    """

    name: str
    url: str
    is_folder: bool
    size: int | None
    is_large: bool
    is_blocked: bool
    last: Change | None


@dataclass(frozen=True, slots=True)
class FolderPage:
    """``hub/folder.html``.

    Attributes:
        crumbs: The way from the top, which has the repository's name.
        latest: The newest commit of the revision.
        next_url: The following entries, empty at the end.
        readme_html: ``README.md`` of a folder below the top.
    """

    chrome: Chrome
    head: RepoHead
    revisions: Revisions
    crumbs: tuple[Crumb, ...]
    latest: Change | None
    entries: tuple[EntryRow, ...]
    first_url: str
    next_url: str
    readme_html: Markup | None


@dataclass(frozen=True, slots=True)
class LargeFacts:
    """How a large file is stored.

    Attributes:
        sha256: 64 hex digits.
        stored_as: ``chunks`` (Xet) or ``plain``; empty if the bytes are not here.
        is_verified: Whether this server computed the digest itself.
    """

    sha256: str
    stored_as: str
    is_verified: bool


@dataclass(frozen=True, slots=True)
class FilePage:
    """``hub/file.html``.

    Attributes:
        view: ``code``, ``rendered``, ``image``, ``audio``, ``video``, ``large`` (too large
            to show), ``binary`` or ``blocked``.
        lines: Of ``code``.
        html: Of ``rendered``.
        other_view_url: Source of what is rendered, or the other way round; else empty.
    """

    chrome: Chrome
    head: RepoHead
    revisions: Revisions
    crumbs: tuple[Crumb, ...]
    name: str
    size: int
    last: Change | None
    raw_url: str
    download_url: str
    history_url: str
    other_view_url: str
    view: str
    lines: tuple[Markup, ...]
    html: Markup | None
    large: LargeFacts | None


@dataclass(frozen=True, slots=True)
class CommitsPage:
    """``hub/commits.html``.

    Attributes:
        file: The file whose history this is, empty for all of the revision.
    """

    chrome: Chrome
    head: RepoHead
    revisions: Revisions
    file: str
    file_url: str
    changes: tuple[Change, ...]
    first_url: str
    next_url: str


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a difference.

    Attributes:
        kind: ``add``, ``del``, ``same`` or ``hunk``.
        old: Line number before, ``None`` where there is none; as ``new``.
        pieces: Text and whether it is what changed within the line.
    """

    kind: str
    old: int | None
    new: int | None
    pieces: tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What a commit did to a file.

    Attributes:
        kind: ``add``, ``change`` or ``delete``.
        lines: Empty where ``why_hidden`` says why: ``large``, ``binary`` or ``long``.
    """

    path: str
    url: str
    kind: str
    added: int
    removed: int
    lines: tuple[DiffLine, ...]
    why_hidden: str


@dataclass(frozen=True, slots=True)
class CommitPage:
    """``hub/commit.html``.

    Attributes:
        message: What stands below the title.
        parents: Short name and address.
        is_cut: Whether it changed more files than are shown.
    """

    chrome: Chrome
    head: RepoHead
    change: Change
    message: str
    parents: tuple[tuple[str, str], ...]
    tree_url: str
    files: tuple[FileDiff, ...]
    is_cut: bool
