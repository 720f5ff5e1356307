"""Clone of 100 000 files, against the same repository behind ``git http-backend``."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from bench import trees
from bench.lab import Lab, create_repo, median, run, seconds, taking_turns
from bench.peers import nginx
from bench.report import Row

FILES = 100_000
AIM = 1.4


def measure(lab: Lab) -> Sequence[Row]:
    """Measure."""
    count = lab.size(FILES)
    with lab.hub() as (hub, token), nginx(lab) as peer:
        create_repo(hub.url, token, "wide")
        trees.fill(hub.url, token, "lin/wide", count)
        ours = f"{hub.url}/lin/wide"
        theirs = peer.new_repository("wide")
        mirror = lab.new_folder("mirror")
        run("git", "clone", "-q", "--bare", ours, mirror / "wide")
        run("git", "push", "-q", theirs, "main", cwd=mirror / "wide")

        def clone(address: str, *more: str) -> float:
            folder = lab.new_folder("clone")
            taken = seconds(lambda: run("git", "clone", "-q", *more, address, folder / "wide"))
            shutil.rmtree(folder)
            return taken

        full = taking_turns(lab.rounds, lambda: clone(ours), lambda: clone(theirs))
        bare = taking_turns(
            lab.rounds, lambda: clone(ours, "--bare"), lambda: clone(theirs, "--bare")
        )
    rows = []
    for what, (own, other), aim in (("clone", full, AIM), ("clone --bare", bare, None)):
        rows.append(
            Row(
                f"{what} of {count} files",
                f"{median(own):.2f} s",
                median(own) / median(other),
                peer=f"{median(other):.2f} s (http-backend)",
                aim=aim,
                more_is_better=False,
                note="with checkout" if aim else "without checkout",
            )
        )
    return rows
