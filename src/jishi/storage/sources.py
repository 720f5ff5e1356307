"""Bytes somebody may ask for: values that say where they come from, wholly or in ranges.

The domain hands them out without knowing HTTP; ``http.answer_bytes`` sends them.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class BytesSource:
    """Bytes in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self.data)


@dataclass(frozen=True, slots=True)
class StreamSource:
    """Bytes that are made on the way.

    Attributes:
        open: Yields the bytes from ``start`` to ``end`` (exclusive), exactly; closed when
            the caller leaves.
    """

    size: int
    open: Callable[[int, int], AsyncGenerator[bytes]]


@dataclass(frozen=True, slots=True)
class FileSource:
    """``size`` bytes of a local file, from ``offset``.  The file is opened when it is sent.

    Attributes:
        otherwise: The same bytes from elsewhere, if the file is gone by then: files of a
            cache may be deleted at any time.
    """

    path: Path
    size: int
    offset: int = 0
    otherwise: StreamSource | None = None


Source = FileSource | BytesSource | StreamSource
