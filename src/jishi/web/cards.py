"""What a repository says of itself, as pages show it; none of it is to be trusted."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from jishi.hub import Repo, RepoKind
from jishi.web.addresses import LISTS, at_revision, repo_url, with_query
from jishi.web.pages.lists import Parent, Row
from jishi.web.pages.repos import Facts, RepoHead, Uses

WORD_CHARS_MAX: Final = 100
WORDS_MAX: Final = 20
PARENTS_MAX: Final = 3
TAGS_MAX: Final = 40
_RELATIONS: Final = frozenset(("finetune", "adapter", "quantized", "merge"))
_REPO_TYPES: Final = {RepoKind.MODEL: "", RepoKind.DATASET: "dataset", RepoKind.SPACE: "space"}
_PIPELINES: Final = {
    "diffusers": "diffusers",
    "sentence-transformers": "sentence-transformers",
    "transformers": "transformers",
}


def words(card: Mapping[str, Any] | None, field: str) -> tuple[str, ...]:
    """Return a field of a card as a few short words, whether it holds one or a list."""
    value = (card or {}).get(field)
    found = value if isinstance(value, list) else [value]
    texts = [each.strip() for each in found[:WORDS_MAX] if isinstance(each, str)]
    return tuple(text[:WORD_CHARS_MAX] for text in texts if text)


def word(card: Mapping[str, Any] | None, field: str) -> str:
    """Return the first word of a field, empty if there is none."""
    return next(iter(words(card, field)), "")


def task_of(repo: Repo) -> str:
    """Return what a repository is for, in the words of its card."""
    field = {RepoKind.MODEL: "pipeline_tag", RepoKind.DATASET: "task_categories"}
    return word(repo.card, field.get(repo.kind, "sdk"))


def parents_of(repo: Repo) -> tuple[Parent, ...]:
    """Return the models that a model says it was made from."""
    if repo.kind is not RepoKind.MODEL:
        return ()
    relation = word(repo.card, "base_model_relation")
    known = relation if relation in _RELATIONS else ""
    return tuple(Parent(base, known) for base in words(repo.card, "base_model")[:PARENTS_MAX])


def row_of(repo: Repo) -> Row:
    """Return a repository as a row of a list."""
    return Row(
        kind=repo.kind.value,
        owner=repo.namespace,
        name=repo.name,
        url=repo_url(repo.kind, repo.path),
        private=repo.private,
        task=task_of(repo),
        licence=word(repo.card, "license"),
        library=word(repo.card, "library_name"),
        parents=parents_of(repo),
        downloads_30d=repo.downloads_30d,
        likes=repo.likes,
        updated_at=repo.updated_at,
    )


def head_of(
    repo: Repo,
    tab: str,
    *,
    revision: str = "main",
    commits: int | None,
    is_liked: bool,
    may_write: bool,
) -> RepoHead:
    """Return what stands above every page of a repository.

    Args:
        commits: How many the revision has, ``None`` where that takes too long to tell.
    """
    url = repo_url(repo.kind, repo.path)
    return RepoHead(
        kind=repo.kind.value,
        owner=repo.namespace,
        name=repo.name,
        url=url,
        list_url=LISTS[repo.kind],
        private=repo.private,
        files_url=at_revision(url, "tree", revision),
        history_url=at_revision(url, "commits", revision),
        task=task_of(repo),
        licence=word(repo.card, "license"),
        likes=repo.likes,
        is_liked=is_liked,
        commits=commits,
        may_write=may_write,
        tab=tab,
    )


def facts_of(repo: Repo, parents: tuple[Parent, ...]) -> Facts:
    """Return what the hub counts and the card says.

    Args:
        parents: ``parents_of``, with the addresses of those that are here.
    """
    architectures = (repo.config or {}).get("architectures") or [""]
    return Facts(
        downloads_30d=repo.downloads_30d,
        downloads_all=repo.downloads_all,
        created_at=repo.created_at,
        updated_at=repo.updated_at,
        licences=words(repo.card, "license"),
        library=word(repo.card, "library_name"),
        languages=words(repo.card, "language"),
        architecture=architectures[0] if isinstance(architectures[0], str) else "",
        parents=parents,
        datasets=words(repo.card, "datasets"),
        tags=tuple(
            (tag, with_query(LISTS[repo.kind], {"tag": tag}))
            for tag in repo.tags[:TAGS_MAX]
            if not tag.startswith("region:")
        ),
    )


def uses_of(repo: Repo, sample: str, base: str) -> Uses:
    """Return what the commands on a card need to know.

    Args:
        sample: Path of a file that exists, empty if there is none to show.
    """
    url = repo_url(repo.kind, repo.path)
    sample_url = f"/api/{repo.kind.value}s/{quote(repo.path)}"
    if sample:
        sample_url = at_revision(url, "resolve", "main", sample)
    return Uses(
        repo_type=_REPO_TYPES[repo.kind],
        python=_python(repo),
        sample_url=base + sample_url,
        sample_name=shlex.quote(sample.rpartition("/")[2]) if sample else "",
        git_url=f"{base}{url}",
    )


def language_of(repo: Repo) -> str:
    """Return the language of a card that names exactly one, as a two-letter code."""
    found = words(repo.card, "language")
    plain = [each for each in found if each.isascii() and each.isalpha() and len(each) == 2]  # noqa: PLR2004  (ISO 639-1)
    return plain[0] if len(found) == 1 and plain else ""


def _python(repo: Repo) -> str:
    if repo.kind is RepoKind.DATASET:
        return "datasets"
    library = word(repo.card, "library_name")
    architectures = (repo.config or {}).get("architectures") or []
    if repo.kind is RepoKind.SPACE or (library not in _PIPELINES and not architectures):
        return "snapshot"
    if any(isinstance(each, str) and each.endswith("ForCausalLM") for each in architectures):
        return "causal-lm"
    return _PIPELINES.get(library, "transformers")
