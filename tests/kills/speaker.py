"""Runs in a client's environment: does one thing after another and writes down what was answered.

``speaker.py KIND REPO SEED FIRST COUNT LOG``.  Each line of LOG is on disk before the next
step: ``begin`` stands before the first byte is sent, ``done`` after the call returned; ``at`` is
seconds on the clock that all processes of a machine share.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi

LARGE_BYTES = 136 << 20
"""More than one LFS part can hold."""
FOLDER_FILE_BYTES = 4 << 20
SMALL_FILES = 20

api = HfApi()


def made(kind: str, seed: int, number: int) -> dict[str, bytes]:
    """Return path -> content of one step, the same each time."""
    chosen = random.Random(f"{kind} {seed} {number}")
    top = f"{kind}/{number:04d}"
    if kind == "commit":
        return {f"{top}/f{i}.txt": chosen.randbytes(900).hex().encode() for i in range(SMALL_FILES)}
    if kind == "folder":
        large = {f"{top}/w{i}.safetensors": chosen.randbytes(FOLDER_FILE_BYTES) for i in range(3)}
        return {**large, f"{top}/config.json": b'{"n": %d}' % number}
    return {f"{top}/large.bin": chosen.randbytes(LARGE_BYTES)}


def send(kind: str, repo: str, files: dict[str, bytes], begin) -> None:
    """Upload as people do; ``begin`` is called when everything is ready to be sent."""
    if kind == "folder":
        with tempfile.TemporaryDirectory() as folder:
            for path, data in files.items():
                target = Path(folder) / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
            begin()
            api.upload_folder(repo_id=repo, folder_path=folder)
        return
    # Open buffers take LFS, whatever else is installed.
    operations = [CommitOperationAdd(path, io.BytesIO(data)) for path, data in files.items()]
    begin()
    api.create_commit(repo, operations=operations, commit_message=f"{kind} of {len(files)}")


def main(kind: str, repo: str, seed: str, first: str, count: str, log: str) -> None:
    """Do ``count`` steps from ``first``."""
    with Path(log).open("a", encoding="utf-8") as out:

        def say(**line) -> None:
            out.write(json.dumps({**line, "at": time.monotonic()}) + "\n")
            out.flush()
            os.fsync(out.fileno())

        for number in range(int(first), int(first) + int(count)):
            files = made(kind, int(seed), number)
            send(kind, repo, files, lambda number=number: say(begin=number))
            hashes = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
            say(done=number, files=hashes)


if __name__ == "__main__":
    main(*sys.argv[1:])
