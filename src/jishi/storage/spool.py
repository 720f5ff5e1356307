"""Bytes on the way in: temporary files beside the store, gone unless they are taken."""

from __future__ import annotations

import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

from jishi.storage.store import no_space


class SpoolFile:
    """One temporary file, open for writing and reading; removed at the end of the block.

    Attributes:
        path: Where it lies.  ``Store.put(key, spool_file.path)`` takes it away.
        size: Bytes written so far.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path.open("x+b", buffering=0)
        self.size = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append ``data``.

        Raises:
            DiskFull: If there is no room.
        """
        view = memoryview(data)
        with no_space():
            while view:
                count = self.file.write(view)
                self.size += count
                view = view[count:]

    def close(self) -> None:
        """Close the file and remove it if nobody took it."""
        self.file.close()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()


class Spool:
    """A folder of temporary files on the store's file system.

    One process owns it (the data folder is locked), so what lies there at the start is
    left over from a crash and is removed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for left_over in folder.iterdir():
            left_over.unlink()

    def new(self) -> SpoolFile:
        """Open a fresh temporary file.

        Raises:
            DiskFull: If there is no room.
        """
        with no_space():
            return SpoolFile(self._folder / secrets.token_hex(12))
