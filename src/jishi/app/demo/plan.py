"""``content/demo.toml``, read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

CONTENT: Final = Path(__file__).parent / "content"
DEMO_MODEL: Final = "open-bazaar/market-tales"
"""A model of the demo, to be downloaded by way of trial."""


class DemoPerson(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody who can sign in."""

    name: str
    full_name: str


class DemoOrganisation(msgspec.Struct, forbid_unknown_fields=True):
    """An organisation and who belongs to it, by name."""

    name: str
    full_name: str
    admin: str
    writers: list[str]


class DemoStep(msgspec.Struct, forbid_unknown_fields=True):
    """One thing that happened in a repository: a commit, a tag on ``on``, or a branch from it.

    Attributes:
        files: Path in the repository -> path in the content; with ``/`` at the end, all below.
    """

    by: str
    on: str = "main"
    commit: str = ""
    description: str = ""
    files: dict[str, str] = {}
    tag: str = ""
    message: str = ""
    branch: str = ""

    def sources(self) -> dict[str, Path]:
        """Return every file of a commit: path in the repository -> where it lies here."""
        found: dict[str, Path] = {}
        for path, source in self.files.items():
            if path.endswith("/"):
                folder = CONTENT / source
                for file in sorted(folder.rglob("*")):
                    if file.is_file() and "__pycache__" not in file.parts:
                        found[path + file.relative_to(folder).as_posix()] = file
            else:
                found[path] = CONTENT / source
        return found


class DemoRepository(msgspec.Struct, forbid_unknown_fields=True):
    """A repository and its history."""

    kind: str
    path: str
    step: list[DemoStep]


class Demo(msgspec.Struct, forbid_unknown_fields=True):
    """Everything that is loaded, in this order."""

    person: list[DemoPerson]
    organisation: list[DemoOrganisation]
    repository: list[DemoRepository]


def read_plan() -> Demo:
    """Read what ships with this release."""
    return msgspec.toml.decode((CONTENT / "demo.toml").read_bytes(), type=Demo)
