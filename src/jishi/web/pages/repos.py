"""A repository: card, settings, a new one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from markupsafe import Markup

from jishi.web.pages.chrome import Chrome
from jishi.web.pages.lists import Parent


@dataclass(frozen=True, slots=True)
class RepoHead:
    """What stands above every page of a repository.

    Attributes:
        kind: ``model``, ``dataset`` or ``space``.
        url: Page of the card; the others lie below it.
        list_url: All repositories of this kind.
        files_url: Folders of the revision that is looked at.
        history_url: Its commits.
        task: A word of the card, empty if it says none; as ``licence``.
        commits: How many they are, ``None`` where that takes too long to tell.
        tab: Which page this is: ``card``, ``files``, ``history`` or ``settings``.
    """

    kind: str
    owner: str
    name: str
    url: str
    list_url: str
    private: bool
    files_url: str
    history_url: str
    task: str
    licence: str
    likes: int
    is_liked: bool
    commits: int | None
    may_write: bool
    tab: str

    @property
    def path(self) -> str:
        """``namespace/name``."""
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class Uses:
    """What commands need to know.

    Attributes:
        repo_type: ``--repo-type``'s value, empty for models.
        python: Which Python example fits: ``causal-lm``, ``transformers``, ``datasets``,
            ``diffusers``, ``sentence-transformers`` or ``snapshot``.
        sample_url: A file that exists, for ``curl``; what the API says where there is none.
        sample_name: What to keep it as; empty if it is to be printed.
        git_url: What ``git clone`` takes.
    """

    repo_type: str
    python: str
    sample_url: str
    sample_name: str
    git_url: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What the card and the hub say of a repository; empty where nobody said anything.

    Attributes:
        created_at: Microseconds UTC, as ``updated_at``.
        tags: Name and address of the list of all that have it.
    """

    downloads_30d: int
    downloads_all: int
    created_at: int
    updated_at: int
    licences: tuple[str, ...]
    library: str
    languages: tuple[str, ...]
    architecture: str
    parents: tuple[Parent, ...]
    datasets: tuple[str, ...]
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class CardPage:
    """``hub/card.html``.

    Attributes:
        card_html: ``README.md``, sanitised; ``None`` if there is none.
        card_lang: The language its author wrote in, empty if unknown.
        is_empty: Whether nobody has uploaded anything yet.
    """

    chrome: Chrome
    head: RepoHead
    uses: Uses
    facts: Facts
    card_html: Markup | None
    card_lang: str
    is_empty: bool


@dataclass(frozen=True, slots=True)
class RepoSettingsPage:
    """``hub/settings.html``.

    Attributes:
        owners: Namespaces the repository may move to.
        new_owner: What the move form holds, as ``new_name``.
        typed: What the delete form holds.
        problem: Why a form was refused; ``problem_of`` says which: ``visibility``, ``move``
            or ``delete``.
        done: What was just done, the same words.
    """

    chrome: Chrome
    head: RepoHead
    owners: tuple[str, ...]
    new_owner: str
    new_name: str
    typed: str
    problem: str
    problem_of: str
    done: str


@dataclass(frozen=True, slots=True)
class NewRepoPage:
    """``hub/new.html``.

    Attributes:
        owners: Namespaces the visitor may create in.
        visibility: ``public``, ``private``, or empty for the owner's usual.
    """

    chrome: Chrome
    kind: str
    owners: tuple[str, ...]
    owner: str
    name: str
    visibility: str
    problem: str
    problems: Mapping[str, str] = field(default_factory=dict)
