"""Write the reference pages that are made from code, or say which are out of date.

``python -m tools.reference`` writes; ``--check`` only compares, and so does
``tests/tidy/test_reference.py``.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec

import jishi.app.offline
import jishi.app.serve  # noqa: F401  (with these every refusal and event is loaded)
from jishi import people
from jishi.app.settings import PROFILES, Settings, _Stated
from jishi.cli.words import _parser
from jishi.core.errors import Refusal
from jishi.core.events import Event
from jishi.http.saying import DEFAULT_STATUS, STATUS
from jishi.wire.hf.errors import SAYINGS as HF
from jishi.wire.xet.errors import SAYINGS as XET

ROOT: Final = Path(__file__).resolve().parents[1]
FOLDER: Final = ROOT / "docs" / "en" / "reference"
NOTICE: Final = "<!-- Written by `make docs` from the code; `tests/tidy` compares. -->\n"


def pages() -> dict[str, str]:
    """Return file name -> text of every page."""
    made = {
        "errors.md": _errors(),
        "events.md": _events(),
        "cli.md": _commands(),
        "settings.md": _settings(),
    }
    return {name: f"{NOTICE}\n{text.strip()}\n" for name, text in made.items()}


def main(arguments: list[str]) -> int:
    """Write the pages, or with ``--check`` name those that differ."""
    stale = [name for name, text in pages().items() if _read(FOLDER / name) != text]
    if "--check" in arguments:
        print(*(f"out of date: docs/en/reference/{name}" for name in stale), sep="\n")
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    return 0


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


# Errors ------------------------------------------------------------------------------------


def _errors() -> str:
    by_package: dict[str, list[type[Refusal]]] = {}
    for code, refusal in sorted(Refusal.registry.items()):
        if refusal.__module__.startswith("jishi."):
            by_package.setdefault(code.partition(".")[0], []).append(refusal)
    head = (
        "# Refusals\n\n"
        "Every expected “no” has a code that programs may rely on. The status is what our own "
        "calls and most\ndialects answer; where the Hugging Face dialect or the Xet store has "
        "another one or a word of its own\n(`X-Error-Code`), it stands beside it. Words in "
        "braces are facts of the case."
    )
    parts = [head]
    for package, refusals in by_package.items():
        rows = [_error_row(refusal) for refusal in refusals]
        parts.append(f"## {package}\n\n" + _table(("code", "status", "dialects", "text"), rows))
    return "\n\n".join(parts)


def _error_row(refusal: type[Refusal]) -> tuple[str, ...]:
    status = STATUS.get(refusal.code) or DEFAULT_STATUS[refusal.kind]
    said = []
    for name, table in (("hf", HF), ("xet", XET)):
        saying = table.get(refusal.code)
        if saying is None:
            continue
        anonymous = f", {saying.anonymous} to nobody" if saying.anonymous else ""
        word = f" `{saying.word}`" if saying.word else ""
        said.append(f"{name}: {saying.status}{anonymous}{word}")
    return f"`{refusal.code}`", str(status), "; ".join(said), refusal.text


# Events ------------------------------------------------------------------------------------


def _events() -> str:
    head = (
        "# Events\n\n"
        "Facts in the past tense, written in the transaction that made them true, into one "
        "stream with one\norder. Their names and fields are public; a change of a field's "
        "meaning is a new version."
    )
    parts = [head]
    for name, event in sorted(Event.registry.items()):
        if not event.__module__.startswith("jishi."):
            continue
        meaning, about = _doc_of(event)
        rows = [
            (f"`{field.name}`", f"`{_type_name(field.type)}`", about.get(field.name, ""))
            for field in msgspec.structs.fields(event)
        ]
        table = "\n\n" + _table(("field", "type", ""), rows) if rows else ""
        parts.append(f"## {name}\n\n{meaning}{table}")
    return "\n\n".join(parts)


# Commands ----------------------------------------------------------------------------------


def _commands() -> str:
    head = (
        "# Command line\n\n"
        "Results go to standard output, the rest to standard error. Exit status: 0, 1 refused, "
        "2 misused.\nVerbs work beside a running server, which they ask; without one they open "
        "the data folder themselves."
    )
    parts = [head]
    for name, parser in sorted(_verbs("jishi", _parser())):
        text = (parser.description or "").strip()
        usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
        rows = [
            (f"`{_spelled(action)}`", _help_of(action))
            for action in parser._actions  # noqa: SLF001  (argparse tells nobody else)
            if action.dest not in {"help", "command"} and action.metavar != "COMMAND"
        ]
        parts.append(f"## {name}\n\n{text[:1].upper()}{text[1:]}.\n\n```\n{usage}\n```")
        if rows:
            parts.append(_table(("argument", ""), rows))
    return "\n\n".join(parts)


def _verbs(
    name: str, parser: argparse.ArgumentParser
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield every command that does something, with its full name."""
    below = [
        action
        for action in parser._actions  # noqa: SLF001
        if isinstance(action, argparse._SubParsersAction)  # noqa: SLF001
    ]
    if not below:
        yield name, parser
    for action in below:
        for word, inner in action.choices.items():
            yield from _verbs(f"{name} {word}", inner)


def _spelled(action: argparse.Action) -> str:
    if not action.option_strings:
        return str(action.metavar or action.dest)
    value = action.metavar or ("|".join(action.choices) if action.choices else "")
    takes = action.nargs != 0
    return f"{action.option_strings[-1]} {value}".strip() if takes else action.option_strings[-1]


def _help_of(action: argparse.Action) -> str:
    text = action.help or ""
    has_default = action.option_strings and action.choices and isinstance(action.default, str)
    return f"{text}{'; ' if text else ''}default: {action.default}" if has_default else text


# Settings ----------------------------------------------------------------------------------


def _settings() -> str:
    _, about = _doc_of(Settings)
    about["profile"] = "Which parts are on if `parts` does not say: " + "; ".join(
        f"`{name}`: {', '.join(parts)}" for name, parts in PROFILES.items()
    )
    about["origins"] += " A server on loopback adds `localhost`, `127.0.0.1` and `[::1]`."
    about["port"] = "Port to listen on; `0`: any that is free."
    about["database"] = "Address for SQLAlchemy; without one a SQLite file in the data folder."
    about["host"] += " Beyond loopback `url` must be set."
    rows = [
        _setting(field, "app", about.get(field.name, ""))
        for field in msgspec.structs.fields(_Stated)
        if field.name != "people"
    ]
    own = [
        _setting(field, "people", _choices(field.type))
        for field in msgspec.structs.fields(people.Settings)
    ]
    heads = ("setting", "variable", "default", "")
    return (
        "# Settings\n\n"
        "One file in the data folder, `jishi.toml`, read once at the start. Variables of the "
        "environment stand\nover the file, and what `jishi serve` is told stands over both. "
        "Lists in variables are written with\ncommas. An unknown setting is refused.\n\n"
        f"{_table(heads, rows)}\n\n## `[people]`\n\n{_table(heads, own)}"
    )


def _setting(field: msgspec.structs.FieldInfo, package: str, text: str) -> tuple[str, ...]:
    default = field.default
    shown = str(default.value) if isinstance(default, StrEnum) else default
    told = f"`{shown}`" if shown not in ("", ()) else ""
    return f"`{field.name}`", f"`JISHI_{package.upper()}__{field.name.upper()}`", told, text


def _choices(kind: Any) -> str:  # noqa: ANN401  (an enum of settings)
    """Say what each value means: the text under it in the enum's source."""
    meaning, _ = _doc_of(kind)
    said = []
    body = ast.parse(inspect.getsource(kind)).body[0]
    inside = body.body if isinstance(body, ast.ClassDef) else []
    for value, text in pairwise(inside):
        if isinstance(value, ast.Assign) and isinstance(text, ast.Expr):
            said.append(f"`{ast.literal_eval(value.value)}`: {ast.literal_eval(text.value)}")
    return f"{meaning} {' '.join(said)}"


# Shared ------------------------------------------------------------------------------------


def _doc_of(thing: type) -> tuple[str, dict[str, str]]:
    """Return the first paragraph of a docstring, and its ``Attributes`` by name."""
    text = inspect.getdoc(thing) or ""
    first, _, rest = text.partition("\n\n")
    _, _, listed = rest.partition("Attributes:\n") if "Attributes:" in rest else ("", "", "")
    about: dict[str, str] = {}
    for found in re.finditer(r"(?m)^    (\w+): ((?:.*\n?)(?:^ {8,}.*\n?)*)", listed):
        about[found[1]] = " ".join(found[2].split()).replace("``", "`")
    return " ".join(first.split()).replace("``", "`"), about


def _type_name(kind: Any) -> str:  # noqa: ANN401  (whatever a field is)
    return kind.__name__ if isinstance(kind, type) else str(kind)


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    cells = ([cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
