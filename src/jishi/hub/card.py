"""What a repository says about itself: the YAML front matter of its ``README.md``.

The text is somebody's upload.  Only plain data is built, without aliases (they multiply),
without tags, at most ``CARD_BYTES_MAX`` and ``CARD_DEPTH_MAX`` deep.  As in YAML 1.2,
``no`` is a word (Norwegian), dates are text, and only ``true`` and ``false`` are truths.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, Final

import msgspec
import yaml

from jishi.core.errors import Kind, Refusal
from jishi.core.i18n import N_
from jishi.hub.licences import LICENCES
from jishi.hub.repos import RepoKind

__all__ = [
    "SDKS",
    "BadCard",
    "Finding",
    "app_file_of",
    "find_faults",
    "read_card",
    "read_config",
    "split_front_matter",
    "tags_of",
    "uses_of",
]

CARD_BYTES_MAX = 64 << 10
CARD_DEPTH_MAX = 20
TAGS_MAX = 200
TAG_CHARS_MAX = 200
FINDINGS_MAX = 20

_FENCE = re.compile(r"\A\s*---[ \t]*\r?\n(.*?)(?:^---[ \t]*\r?$|\Z)", re.DOTALL | re.MULTILINE)


class BadCard(Refusal):
    """The front matter cannot be read."""

    code: ClassVar[str] = "hub.bad_card"
    kind: ClassVar[Kind] = Kind.INVALID
    text: ClassVar[str] = N_("The metadata of README.md cannot be read: {problem}")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to say about a card.

    Attributes:
        is_error: Else a warning.
    """

    is_error: bool
    message: str


class _Loader(yaml.CSafeLoader):
    """Builds plain data; see the module's docstring."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("int", r"^[-+]?[0-9]{1,18}$", "-+0123456789"),
    (
        "float",
        r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]{1,3})?$",
        "-+.0123456789",
    ),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("merge", r"^(?:<<)$", "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))


def split_front_matter(text: str) -> tuple[str | None, str]:
    """Return the YAML between the fences, ``None`` where there is none, and the rest."""
    found = _FENCE.match(text.removeprefix("\ufeff"))
    if found is None:
        return None, text
    return found.group(1), text.removeprefix("\ufeff")[found.end() :].lstrip("\r\n")


def read_card(text: str) -> dict[str, Any] | None:
    """Return the front matter of a ``README.md``, ``None`` where there is none.

    Raises:
        BadCard: If it is too long, too deep, uses aliases, is not YAML, or not a mapping.
    """
    source, _ = split_front_matter(text)
    if source is None:
        return None
    if len(source.encode("utf-8", "surrogatepass")) > CARD_BYTES_MAX:
        raise BadCard(problem=f"longer than {CARD_BYTES_MAX} bytes")
    try:
        _check_shape(source)
        value = yaml.load(source, Loader=_Loader)  # noqa: S506  (a safe loader of our own)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise BadCard(problem="not a mapping")
        plain = msgspec.json.decode(msgspec.json.encode(_plain(value)))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise BadCard(problem=" ".join(str(error).split())[:300]) from error
    result: dict[str, Any] = plain
    return result


def find_faults(text: str, kind: RepoKind) -> list[Finding]:
    """Judge a card as ``validate-yaml`` does: errors block a push, warnings do not."""
    try:
        card = read_card(text)
    except BadCard as refusal:
        return [Finding(is_error=True, message=str(refusal.facts["problem"]))]
    if card is None:
        return [Finding(is_error=False, message="empty or missing yaml metadata in repo card")]
    return list(islice(_judge(card, kind), FINDINGS_MAX))


def tags_of(card: Mapping[str, Any] | None, kind: RepoKind) -> list[str]:
    """Return the flat tags lists filter by, in a stable order without repetition."""
    card = card or {}
    found = [*_strings(card.get("tags")), *_strings(card.get("library_name"))]
    if kind is RepoKind.MODEL:
        found += _strings(card.get("pipeline_tag"))
        relation = card.get("base_model_relation")
        for base in _strings(card.get("base_model")):
            found.append(f"base_model:{base}")
            if isinstance(relation, str):
                found.append(f"base_model:{relation}:{base}")
        found += [f"dataset:{name}" for name in _strings(card.get("datasets"))]
        found += _strings(card.get("language"))
    else:
        for field in ("task_categories", "task_ids", "language", "size_categories", "modality"):
            found += [f"{field}:{value}" for value in _strings(card.get(field))]
    if kind is RepoKind.SPACE:
        found += _strings(card.get("sdk"))
    found += [f"license:{value}" for value in _strings(card.get("license"))]
    found.append("region:us")
    return [tag for tag in dict.fromkeys(found) if _is_short(tag)][:TAGS_MAX]


def app_file_of(card: Mapping[str, Any] | None) -> str | None:
    """Return the file that a Space runs; ``None`` where its card names no SDK we know."""
    card = card or {}
    sdk, named = card.get("sdk"), card.get("app_file")
    usual = _APP_FILES.get(sdk) if isinstance(sdk, str) else None
    if usual is None or sdk == "docker" or not isinstance(named, str):
        return usual
    return named.removeprefix("./") or usual


def uses_of(card: Mapping[str, Any] | None) -> dict[RepoKind, list[str]]:
    """Return the models and datasets that a Space says it uses, as it spells them."""
    card = card or {}
    fields = {RepoKind.MODEL: "models", RepoKind.DATASET: "datasets"}
    return {
        kind: [name for name in dict.fromkeys(_strings(card.get(field))) if _is_short(name)][
            :TAGS_MAX
        ]
        for kind, field in fields.items()
    }


def read_config(data: bytes) -> dict[str, Any] | None:
    """Return what lists show of a model's ``config.json``; nonsense is no config."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.MsgspecError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    architectures = value.get("architectures")
    model_type = value.get("model_type")
    config: dict[str, Any] = {}
    if isinstance(architectures, list):
        config["architectures"] = [a[:200] for a in architectures[:20] if isinstance(a, str)]
    if isinstance(model_type, str):
        config["model_type"] = model_type[:200]
    return config


def _judge(card: Mapping[str, Any], kind: RepoKind) -> Iterator[Finding]:
    licences = card.get("license")
    named = licences if isinstance(licences, list) else [] if licences is None else [licences]
    if not all(isinstance(licence, str) and licence in LICENCES for licence in named):
        known = ", ".join(sorted(LICENCES))
        yield Finding(is_error=True, message=f'"license" must be one of [{known}]')
    for field in ("tags", "datasets", "metrics"):
        value = card.get(field)
        if value is not None and not _is_strings(value):
            yield Finding(is_error=True, message=f'"{field}" must be an array of strings')
    language = card.get("language")
    if language is not None and not (isinstance(language, str) or _is_strings(language)):
        yield Finding(is_error=True, message='"language" must be a string or an array of strings')
    if kind is RepoKind.MODEL:
        yield from _judge_model(card)
    sdk = card.get("sdk")
    if kind is RepoKind.SPACE and not (isinstance(sdk, str) and sdk in SDKS):
        yield Finding(is_error=True, message=f'"sdk" must be one of [{", ".join(sorted(SDKS))}]')


def _judge_model(card: Mapping[str, Any]) -> Iterator[Finding]:
    index = card.get("model-index")
    if index is None:
        return
    if not isinstance(index, list):
        yield Finding(is_error=True, message='"model-index" must be an array')
        return
    for place, entry in enumerate(index):
        if not isinstance(entry, dict) or not isinstance(entry.get("results"), list):
            message = f'"model-index[{place}].results" is required'
            yield Finding(is_error=True, message=message)


_APP_FILES: Final = {
    "gradio": "app.py",
    "streamlit": "app.py",
    "static": "index.html",
    "docker": "Dockerfile",
}
"""What each SDK runs where the card says no other; Docker never asks the card."""
SDKS: Final = frozenset(_APP_FILES)


_TAGS: Final = (None, "!", "tag:yaml.org,2002:str")
"""What says that a word is text is harmless; ``!!int`` of a hundred thousand digits is not."""


def _check_shape(source: str) -> None:
    depth = 0
    for event in yaml.parse(source, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise BadCard(problem="aliases are not allowed")
        if getattr(event, "tag", None) not in _TAGS:
            raise BadCard(problem="tags (!!) are not allowed")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        if isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > CARD_DEPTH_MAX:
            raise BadCard(problem=f"nested deeper than {CARD_DEPTH_MAX}")


def _plain(value: object) -> object:
    """Make keys text and drop what JSON cannot say."""
    match value:
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case list():
            return [_plain(item) for item in value]
        case str():
            return value.encode("utf-8", "replace").decode()
        case None | bool() | int():
            return value
        case float():
            return value if value - value == 0 else str(value)
    return str(value)


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _is_short(text: str) -> bool:
    return 0 < len(text) <= TAG_CHARS_MAX


def _is_strings(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
