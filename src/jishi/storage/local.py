"""Objects as files of one folder."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from typing_extensions import override

from jishi.storage.store import ObjectMissing, Store, no_space


class LocalStore(Store):
    """Keeps objects below ``root``; a write is on disk, name included, when it returns."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True)

    @override
    def put(self, key: str, source: Path) -> None:
        target = self._root / key
        with no_space():
            if target.exists():
                source.unlink()
                return
            with source.open("rb") as file:
                os.fsync(file.fileno())
            self._make_folder(target.parent)
            source.rename(target)
            sync_folder(target.parent)

    @override
    def put_bytes(self, key: str, data: bytes) -> None:
        target = self._root / key
        with no_space():
            self._make_folder(target.parent)
            fresh = target.with_name(f"{target.name}.{secrets.token_hex(4)}.tmp")
            try:
                with fresh.open("wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                fresh.rename(target)
            finally:
                fresh.unlink(missing_ok=True)
            sync_folder(target.parent)

    @override
    def path(self, key: str) -> Path:
        path = self._root / key
        if not path.is_file():
            raise ObjectMissing(key)
        return path

    @override
    def size(self, key: str) -> int:
        return self.path(key).stat().st_size

    @override
    def read(self, key: str, start: int = 0, end: int | None = None) -> bytes:
        try:
            with (self._root / key).open("rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                length = (size if end is None else min(end, size)) - start
                return os.pread(file.fileno(), max(length, 0), start)
        except FileNotFoundError as error:
            raise ObjectMissing(key) from error

    @override
    def delete(self, key: str) -> None:
        (self._root / key).unlink(missing_ok=True)

    @override
    def keys(self, prefix: str) -> Iterator[str]:
        for folder, _, files in os.walk(self._root / prefix):
            for name in files:
                yield (Path(folder) / name).relative_to(self._root).as_posix()

    def _make_folder(self, folder: Path) -> None:
        missing = []
        while not folder.exists():
            missing.append(folder)
            folder = folder.parent
        for new in reversed(missing):
            new.mkdir(exist_ok=True)
            sync_folder(new.parent)


def sync_folder(folder: Path) -> None:
    """Put the names of ``folder`` on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
