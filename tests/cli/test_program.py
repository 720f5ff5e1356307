"""Printed commands name the program that printed them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from jishi.cli.program import program_of


def program(folder: Path) -> Path:
    folder.mkdir()
    file = folder / "jishi"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


def test_the_program_on_path_is_called_by_its_name(tmp_path: Path, monkeypatch) -> None:
    script = program(tmp_path / "bin")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "jishi").symlink_to(script)
    monkeypatch.setenv("PATH", str(tmp_path / "home"))

    assert program_of(str(script), sys.executable) == "jishi"


@pytest.mark.parametrize("has_other", [False, True])
def test_a_program_that_is_not_on_path_is_called_by_its_place(
    tmp_path: Path, monkeypatch, *, has_other: bool
) -> None:
    script = program(tmp_path / "my env")
    if has_other:
        program(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.chdir(tmp_path)

    assert program_of("my env/jishi", sys.executable) == f"'{script}'"


def test_a_module_is_called_by_its_interpreter_unless_its_script_is_on_path(
    tmp_path: Path, monkeypatch
) -> None:
    script = program(tmp_path / "bin")
    python = str(script.with_name("python"))
    monkeypatch.setenv("PATH", "/nonexistent")
    assert program_of("/x/jishi/__main__.py", python) == f"{python} -m jishi"

    monkeypatch.setenv("PATH", str(script.parent))
    assert program_of("/x/jishi/__main__.py", python) == "jishi"
