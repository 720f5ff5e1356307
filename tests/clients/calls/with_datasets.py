"""Runs in the environment that has ``datasets``."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import with_hub
from datasets import Dataset, config, load_dataset


def write_formats(folder):
    """Write the same rows as parquet, CSV and JSON lines."""
    rows = Dataset.from_dict({"text": [f"row {n} 行" for n in range(200)], "n": list(range(200))})
    for name in ("parquet", "csv", "jsonl"):
        (Path(folder) / name).mkdir(parents=True)
    rows.to_parquet(f"{folder}/parquet/train.parquet")
    rows.to_csv(f"{folder}/csv/train.csv")
    rows.to_json(f"{folder}/jsonl/train.jsonl")


def load(repo, config=None, split="train", column="text", **more):
    """Load one configuration and say what is in it."""
    rows = load_dataset(repo, config, split=split, **more)
    texts = [row[column] for row in rows]
    digest = hashlib.sha256("\n".join(texts).encode()).hexdigest()
    return {"count": len(texts), "first": texts[0], "last": texts[-1], "digest": digest}


def load_quietly(repo, **more):
    """Do the same without what the library asks others by itself, whatever the hub says.

    It tells a host of its makers what is loaded, and looks for ``datasets-server.`` + our host.
    """
    config.HF_UPDATE_DOWNLOAD_COUNTS = False
    config.USE_PARQUET_EXPORT = False
    return load(repo, **more)


def load_all(repos, **more):
    """Load one data set after another."""
    return [load(repo, **more) for repo in repos]


def push(repo):
    """Push rows twice, the second time others, and read them back."""
    counts = []
    for size in (50, 70):
        Dataset.from_dict({"n": list(range(size))}).push_to_hub(repo)
        again = load_dataset(repo, split="train", download_mode="force_redownload")
        counts.append(len(again))
    return counts


if __name__ == "__main__":
    with_hub.main(*sys.argv[1:], more=globals())
