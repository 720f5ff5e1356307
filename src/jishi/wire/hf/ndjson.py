"""The body of a commit: one JSON object a line, read while it arrives.

File contents go to a spool file as they are decoded, so memory stays within one line
(``LINE_BYTES_MAX``), however many files a commit brings.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

import msgspec

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.hub import check_path
from jishi.hub.commits import (
    CHANGES_MAX,
    REGULAR_BYTES_MAX,
    Change,
    CommitDraft,
    Copy,
    PutFile,
    PutLarge,
    Remove,
    TooLargeForGit,
    TooManyChanges,
)
from jishi.storage import SpoolFile

LINE_BYTES_MAX = 14_000_000
"""A regular file in base64, its path and room to spare."""
LINES_MAX = 2 * CHANGES_MAX + 2
"""An empty line before every line that says something, more than anybody sends."""
WRITE_BYTES = 1 << 20
SHA256_BYTES: Final = 32


class BadCommitBody(Refusal):
    """The body of a commit is not what the dialect says it is."""

    code: ClassVar[str] = "wire.bad_commit_body"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("The commit cannot be read: line {line}: {problem}.")


class LineTooLong(Refusal):
    """One line of a commit is longer than any regular file makes it."""

    code: ClassVar[str] = "wire.line_too_long"
    kind: ClassVar[Kind] = Kind.TOO_LARGE
    text: ClassVar[str] = N_(
        "Line {line} of the commit is longer than {bytes_max} bytes: upload it as a large file."
    )


class _Line(msgspec.Struct):
    key: str
    value: msgspec.Raw


class _Header(msgspec.Struct, rename="camel"):
    summary: str = ""
    description: str | None = None
    parent_commit: str | None = None


class _File(msgspec.Struct):
    path: str
    content: str
    encoding: str = "utf-8"


class _LargeFile(msgspec.Struct):
    path: str
    oid: str
    algo: str = "sha256"
    size: int | None = None


class _Gone(msgspec.Struct):
    path: str


class _Copied(msgspec.Struct, rename="camel"):
    path: str
    src_path: str
    src_revision: str | None = None


class _Whole(msgspec.Struct, rename="camel"):
    """The older form: the whole commit in one object."""

    summary: str = ""
    description: str | None = None
    parent_commit: str | None = None
    files: list[_File] = []
    lfs_files: list[_LargeFile] = []
    deleted_files: list[_Gone] = []
    deleted_entries: list[_Gone] = []
    deleted_folders: list[_Gone] = []


class CommitReader:
    """Takes a body in pieces and makes a draft of it.  Blocking: feed it in a thread."""

    def __init__(self, spool: SpoolFile, *, is_whole: bool = False) -> None:
        """Begin.

        Args:
            is_whole: Read the older form, one object, however many lines it is written on;
                it may be as long as a line.
        """
        self._spool = spool
        self._is_whole = is_whole
        self._rest = bytearray()
        self._buffer = bytearray()
        self._line = 0
        self._header: _Header | None = None
        self._changes: list[Change] = []
        self._read: Mapping[str, Callable[[bytes], None]] = {
            "header": self._take_header,
            "file": self._take_file,
            "lfsFile": self._take_large,
            "deletedFile": self._take_gone,
            "deletedFolder": self._take_gone,
            "deletedEntry": self._take_gone,
            "copyFile": self._take_copy,
        }

    def feed(self, piece: bytes | bytearray | memoryview) -> None:
        """Take the next bytes.

        Raises:
            LineTooLong: As soon as a line passes its limit.
            BadCommitBody: If a line is not what it should be.
            BadPath: If a path may not be stored.
            TooLargeForGit: If a regular file is too large.
            TooManyChanges: If there are too many lines.
            DiskFull: If the content cannot be spooled.
        """
        self._rest += piece
        start = 0
        while not self._is_whole and (end := self._rest.find(b"\n", start)) >= 0:
            self._take(bytes(memoryview(self._rest)[start:end]))
            start = end + 1
        del self._rest[:start]
        if len(self._rest) > LINE_BYTES_MAX:
            raise LineTooLong(line=self._line + 1, bytes_max=LINE_BYTES_MAX)

    def finish(self) -> CommitDraft:
        """Return the draft once all bytes were fed; the last line may lack its end.

        Raises:
            BadCommitBody: If there was no header, and as ``feed``.
        """
        if self._is_whole:
            self._take_whole(bytes(self._rest))
        elif self._rest.strip():
            self._take(bytes(self._rest))
        if self._header is None:
            raise BadCommitBody(line=self._line, problem="no header")
        self._flush()
        return CommitDraft(
            summary=self._header.summary,
            description=self._header.description or "",
            parent=self._header.parent_commit,
            changes=tuple(self._changes),
            spool=self._spool.file.fileno(),
        )

    def _take_whole(self, raw: bytes) -> None:
        self._line = 1
        whole = _decode(raw, _Whole, self._line)
        self._begin(_Header(whole.summary, whole.description, whole.parent_commit))
        for file in whole.files:
            self._put_file(file)
        for large in whole.lfs_files:
            self._put_large(large)
        for gone in (*whole.deleted_files, *whole.deleted_entries, *whole.deleted_folders):
            self._add(Remove(check_path(gone.path.rstrip("/"))))

    def _take(self, line: bytes) -> None:
        self._line += 1
        if self._line > LINES_MAX:
            raise TooManyChanges(changes_max=CHANGES_MAX)
        if len(line) > LINE_BYTES_MAX:
            raise LineTooLong(line=self._line, bytes_max=LINE_BYTES_MAX)
        if not line.strip():
            return
        parsed = _decode(line, _Line, self._line)
        read = self._read.get(parsed.key)
        if read is None:
            raise BadCommitBody(line=self._line, problem=f"unknown key {parsed.key[:50]!r}")
        if (self._header is None) != (parsed.key == "header"):
            raise BadCommitBody(line=self._line, problem="the header comes first and once")
        read(bytes(parsed.value))

    def _take_header(self, raw: bytes) -> None:
        self._begin(_decode(raw, _Header, self._line))

    def _begin(self, header: _Header) -> None:
        parent = header.parent_commit
        if parent is not None and not _is_hash(parent):
            raise BadCommitBody(line=self._line, problem="parentCommit is not a commit")
        self._header = header

    def _take_file(self, raw: bytes) -> None:
        self._put_file(_decode(raw, _File, self._line))

    def _take_large(self, raw: bytes) -> None:
        self._put_large(_decode(raw, _LargeFile, self._line))

    def _take_gone(self, raw: bytes) -> None:
        self._add(Remove(check_path(_decode(raw, _Gone, self._line).path.rstrip("/"))))

    def _take_copy(self, raw: bytes) -> None:
        copied = _decode(raw, _Copied, self._line)
        change = Copy(check_path(copied.path), check_path(copied.src_path), copied.src_revision)
        self._add(change)

    def _put_file(self, file: _File) -> None:
        path = check_path(file.path)
        try:
            if file.encoding == "base64":
                data = base64.b64decode(file.content, validate=True)
            else:
                data = file.content.encode()
        except (binascii.Error, ValueError) as error:
            raise BadCommitBody(line=self._line, problem="content is not base64") from error
        if len(data) > REGULAR_BYTES_MAX:
            raise TooLargeForGit(path=path, bytes_max=REGULAR_BYTES_MAX)
        start = self._spool.size + len(self._buffer)
        self._buffer += data
        if len(self._buffer) >= WRITE_BYTES:
            self._flush()
        self._add(PutFile(path, (start, start + len(data))))

    def _put_large(self, large: _LargeFile) -> None:
        try:
            sha256 = bytes.fromhex(large.oid)
        except ValueError:
            sha256 = b""
        if large.algo != "sha256" or len(sha256) != SHA256_BYTES:
            raise BadCommitBody(line=self._line, problem="oid is not a sha256")
        self._add(PutLarge(check_path(large.path), sha256, large.size))

    def _add(self, change: Change) -> None:
        self._changes.append(change)
        if len(self._changes) > CHANGES_MAX:
            raise TooManyChanges(changes_max=CHANGES_MAX)

    def _flush(self) -> None:
        self._spool.write(self._buffer)
        self._buffer.clear()


def _decode(raw: bytes, shape: type[Any], line: int) -> Any:  # noqa: ANN401  (the shape's)
    try:
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadCommitBody(line=line, problem=str(error)[:200]) from error


def _is_hash(text: str) -> bool:
    return 5 <= len(text) <= 40 and all(c in "0123456789abcdefABCDEF" for c in text)  # noqa: PLR2004
