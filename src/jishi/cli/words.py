"""What may be typed."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, TypeAlias

from typing_extensions import override

ROLES: Final = ("read", "contributor", "write", "admin")
PORT_MAX: Final = 65_535
PORT_CHARS_MAX: Final = 20
FOLDER: Final = "jishi-data"
"""The data folder if nobody names one."""


def parse(arguments: Sequence[str], *, folder: str | None, program: str) -> Namespace:
    """Return what was typed; misuse ends the process with status 2.

    Args:
        folder: What the environment names as the data folder.
        program: How the command was started, quoted.

    Returns:
        Beside what the verb takes: ``data``, ``is_named`` (somebody named the folder) and
        ``program``.
    """
    parser = _parser()
    told = parser.parse_args(arguments)
    told.is_named = told.data is not None or folder is not None
    told.data = told.data or _folder(folder or FOLDER)
    told.program = program
    return told


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="jishi",
        description="Jishi: a hub for models, datasets and Spaces of your own.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    verbs = parser.add_subparsers(metavar="COMMAND", required=True)
    common = ArgumentParser(add_help=False)
    common.add_argument(
        "--data",
        metavar="DIR",
        type=_folder,
        help="data folder; default: $JISHI_DATA, else ./jishi-data",
    )
    _add_serve(verbs, common)
    _add_user(verbs, common)
    _add_token(verbs, common)
    _add_org(verbs, common)
    doctor = _verb(verbs, common, "doctor", "say whether this installation is well")
    doctor.add_argument("--json", action="store_true", dest="as_json", help="for programs")
    doctor.set_defaults(module="command", command="doctor", fields=("as_json",))
    return parser


def _add_serve(verbs: _Verbs, common: ArgumentParser) -> None:
    serve = _verb(verbs, common, "serve", "serve until Ctrl-C")
    serve.add_argument("--host", metavar="H", help="address to listen on; default: 127.0.0.1")
    serve.add_argument("--port", metavar="P", type=_port, help="default: 8000; 0: any that is free")
    serve.add_argument("--url", metavar="URL", help="address people use, if it is another one")
    serve.add_argument("--no-demo", action="store_true", help="begin with an empty hub")
    serve.set_defaults(module="serve")


def _add_user(verbs: _Verbs, common: ArgumentParser) -> None:
    user = _group(verbs, "user", "people")
    add = _verb(user, common, "add", "add a person; print a link for choosing a password")
    add.add_argument("name", type=_name, metavar="NAME")
    add.add_argument("--full-name", default="", metavar="TEXT")
    add.add_argument("--email", default="", metavar="ADDRESS")
    add.add_argument("--admin", action="store_true", help="make an administrator")
    fields = ("name", "full_name", "email", "admin")
    add.set_defaults(module="command", command="user_add", fields=fields)
    link = _verb(user, common, "link", "print a new link for choosing a password")
    link.add_argument("name", type=_name, metavar="NAME")
    link.set_defaults(module="command", command="user_link", fields=("name",))


def _add_token(verbs: _Verbs, common: ArgumentParser) -> None:
    token = _group(verbs, "token", "access tokens")
    add = _verb(token, common, "add", "create an access token and print it")
    add.add_argument("name", type=_name, metavar="NAME", help="whose token it is")
    add.add_argument("--role", choices=("read", "write"), default="read")
    add.set_defaults(module="command", command="token_add", fields=("name", "role"))


def _add_org(verbs: _Verbs, common: ArgumentParser) -> None:
    org = _group(verbs, "org", "organisations")
    add = _verb(org, common, "add", "create an organisation without members")
    add.add_argument("name", type=_name, metavar="NAME")
    add.add_argument("--full-name", default="", metavar="TEXT")
    add.add_argument("--default-visibility", choices=("public", "private"), default="public")
    fields = ("name", "full_name", "default_visibility", "program")
    add.set_defaults(module="command", command="org_add", fields=fields)
    member = _group(org, "member", "members of an organisation")
    join = _verb(member, common, "add", "add a member, or change the role")
    join.add_argument("org", type=_name, metavar="ORG")
    join.add_argument("name", type=_name, metavar="NAME")
    join.add_argument("--role", choices=ROLES, default="read")
    join.set_defaults(module="command", command="org_member_add", fields=("org", "name", "role"))


_Verbs: TypeAlias = "argparse._SubParsersAction[ArgumentParser]"  # noqa: SLF001  (it has no other name)


def _verb(verbs: _Verbs, common: ArgumentParser, name: str, text: str) -> ArgumentParser:
    made: ArgumentParser = verbs.add_parser(
        name, help=text, description=text, parents=[common], allow_abbrev=False
    )
    return made


def _group(verbs: _Verbs, name: str, text: str) -> _Verbs:
    parser: ArgumentParser = verbs.add_parser(name, help=text, allow_abbrev=False)
    return parser.add_subparsers(metavar="COMMAND", required=True)


def _folder(text: str) -> Path:
    if not text:  # an unset variable of a script; the working folder would be a bad guess
        raise ArgumentTypeError("the name of the folder is empty")
    return Path(text).absolute()


def _name(text: str) -> str:
    if not text:
        raise ArgumentTypeError("the name is empty")
    return text


def _port(text: str) -> int:
    # Python reads no number of more than 4300 digits.
    is_short = text.isascii() and text.isdigit() and len(text) <= PORT_CHARS_MAX
    if not (is_short and int(text) <= PORT_MAX):
        shown = repr(text) if len(text) <= PORT_CHARS_MAX else f"{text[:PORT_CHARS_MAX]!r}…"
        raise ArgumentTypeError(f"{shown} is no port; ports are numbers from 0 to {PORT_MAX}")
    return int(text)


class _Version(argparse.Action):
    """Print the version; loaded late, because reading metadata takes longer than a verb."""

    @override
    def __call__(self, parser: ArgumentParser, *_: object, **__: object) -> None:
        version = import_module("importlib.metadata").version("jishi")
        print(f"jishi {version}")  # noqa: T201
        parser.exit()
