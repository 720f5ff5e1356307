"""How a file should be uploaded: into Git, as a large file, or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from jishi.hub.attributes import REGULAR_BYTES_MAX, IgnoreRules, LargeRules, looks_binary
from jishi.hub.entries import Entry
from jishi.hub.paths import check_path


@dataclass(frozen=True, slots=True)
class Asked:
    """A file somebody is about to upload.

    Attributes:
        sample: Its first bytes.
    """

    path: str
    size: int
    sample: bytes


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do with it.

    Attributes:
        oid: What lies at the path now: Git blob, or sha256 of a large file; clients skip
            what they have and we have too.
    """

    path: str
    is_large: bool
    is_ignored: bool
    oid: str | None


def advise(
    asked: Sequence[Asked], now: Iterable[Entry], *, attributes: str, ignore: str
) -> list[Advice]:
    """Judge each file by the rules of the revision, its size and its first bytes.

    Raises:
        BadPath: If a path may not be stored.
    """
    there: Mapping[str, Entry] = {e.path: e for e in now if not e.is_folder}
    rules = LargeRules(attributes)
    ignored = IgnoreRules(ignore)
    advice = []
    for file in asked:
        path = check_path(file.path)
        large = file.size > 0 and (
            file.size > REGULAR_BYTES_MAX or rules.match(path) or looks_binary(file.sample)
        )
        entry = there.get(path)
        oid = None if entry is None else entry.sha256 or entry.oid
        advice.append(Advice(path, large, ignored.match(path), oid))
    return advice
