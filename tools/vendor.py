"""Other people's scripts, copied as they are from npm's archives: version, licence, digest.

``python -m tools.vendor``  fetches what the tables below name and writes it anew; needs npm

Nothing is installed and nothing of an archive runs.  A test compares the files with the table.
"""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLES = (ROOT / "tests" / "e2e" / "vendor" / "VENDOR.toml",)
FETCH_SECONDS_MAX = 300


def fetch(table: Path) -> None:
    """Copy every file of one table out of its archive.

    Raises:
        subprocess.CalledProcessError: npm could not fetch an archive.
        ValueError: A file is not the one whose digest the table names.
    """
    for name, entry in tomllib.loads(table.read_text(encoding="utf-8")).items():
        with tempfile.TemporaryDirectory() as scratch:
            wanted = f"{entry['package']}@{entry['version']}"
            command = ["npm", "pack", "--silent", "--pack-destination", scratch, wanted]
            subprocess.run(command, check=True, timeout=FETCH_SECONDS_MAX)
            (archive,) = Path(scratch).glob("*.tgz")
            with tarfile.open(archive) as opened:
                member = opened.extractfile(f"package/{entry['file']}")
                if member is None:
                    raise ValueError(f"{wanted} has no {entry['file']}")
                data = member.read()
        if hashlib.sha256(data).hexdigest() != entry["sha256"]:
            raise ValueError(f"{name}: {hashlib.sha256(data).hexdigest()}")
        (table.parent / name).write_bytes(data)


if __name__ == "__main__":
    for each in TABLES:
        fetch(each)
