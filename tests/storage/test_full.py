"""No space left, as the system itself says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from jishi.storage import DiskFull, Spool


def test_a_full_disk_is_a_refusal_and_leaves_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    with spool.new() as file, Path("/dev/full").open("r+b", buffering=0) as full:
        file.file.close()
        file.file = full

        with pytest.raises(DiskFull):
            file.write(b"x")

    assert list(tmp_path.iterdir()) == []
