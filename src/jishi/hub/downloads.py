"""Downloads a node has seen: counted in memory, de-duplicated per caller."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from jishi.hub.repos import Repo, RepoKind

SEEN_MAX = 100_000
"""Callers a node remembers, so that one download of many requests counts once."""
SEEN_MICROS = 300_000_000
DAY_MICROS: Final = 86_400_000_000

_QUERY_FILES: Final = {
    RepoKind.MODEL: frozenset(
        {"config.json", "config.yaml", "hyperparams.yaml", "params.json", "meta.yaml"}
    ),
    RepoKind.DATASET: frozenset({"README.md", "dataset_infos.json"}),
    RepoKind.SPACE: frozenset(),
}
"""Asking for one of these is a download, ``hf-hub-api.md`` §18."""

_QUERY_ENDINGS: Final = {
    RepoKind.MODEL: (".gguf",),
    RepoKind.DATASET: (".parquet", ".csv", ".jsonl", ".json", ".arrow", ".tar", ".zip"),
    RepoKind.SPACE: (),
}

_LIBRARY_FILES: Final = {
    "diffusers": re.compile(r"model_index\.json|[^/]+\.(?:safetensors|ckpt|bin)"),
    "peft": re.compile(r"adapter_config\.json"),
}
"""Asking for one of these is a download where the model belongs to the library: of pipelines
the index, and weights beside it, such as a LoRA that is fetched by itself."""


@dataclass(slots=True)
class DownloadCounter:
    """Downloads this node has seen and not yet written down."""

    _counts: dict[tuple[int, str, int], int] = field(default_factory=dict)
    _seen: OrderedDict[tuple[int, str], int] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, repo: Repo, path: str, who: str, now: int) -> None:
        """Count a request for ``path`` if it stands for a download of the repository.

        Args:
            who: Person or address; the same one counts once in five minutes.
            now: Microseconds UTC.
        """
        if not _is_download(repo, path):
            return
        with self._lock:
            last = self._seen.get((repo.id, who), 0)
            if now - last < SEEN_MICROS:
                return
            self._seen[repo.id, who] = now
            self._seen.move_to_end((repo.id, who))
            if len(self._seen) > SEEN_MAX:
                self._seen.popitem(last=False)
            key = (repo.id, repo.public_id, now // DAY_MICROS)
            self._counts[key] = self._counts.get(key, 0) + 1

    def take(self) -> dict[tuple[int, str, int], int]:
        """Return what was counted and start again."""
        with self._lock:
            counts, self._counts = self._counts, {}
        return counts


def _is_download(repo: Repo, path: str) -> bool:
    if path in _QUERY_FILES[repo.kind] or path.endswith(_QUERY_ENDINGS[repo.kind]):
        return True
    return repo.kind is RepoKind.MODEL and any(
        files.fullmatch(path) and library in repo.tags for library, files in _LIBRARY_FILES.items()
    )
