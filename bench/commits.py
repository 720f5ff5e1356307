"""One commit of 10 000 files over HTTP, against ``git push`` alone of the same tree.

The push goes to a bare repository behind ``git http-backend``, with the tree already committed
on the client's side, its objects loose as ``git commit`` leaves them (``gc.auto = 0``: else Git
packs them behind the first push, and the next ones measure something else).  The second row is
the same with the client's repository packed.  Our commit carries the files themselves and the
server builds the tree.
"""

from __future__ import annotations

from collections.abc import Sequence

from bench import trees
from bench.lab import Lab, cpu_seconds, create_repo, median, pid_of, run, seconds, taking_turns
from bench.peers import nginx
from bench.report import Row

FILES = 10_000
AIM = 0.8


def measure(lab: Lab) -> Sequence[Row]:
    """Measure."""
    count = lab.size(FILES)
    body = trees.ndjson(list(trees.names(count)))
    work = lab.new_folder("work")
    trees.write(work, count)
    run("git", "init", "-q", "-b", "main", cwd=work)
    run("git", "config", "gc.auto", "0", cwd=work)
    run("git", "add", ".", cwd=work)
    run("git", "-c", "user.name=b", "-c", "user.email=b@b", "commit", "-qm", "all", cwd=work)
    turn = iter(range(1000))
    with lab.hub() as (hub, token), nginx(lab) as peer:

        def ours() -> float:
            name = f"many-{next(turn)}"
            create_repo(hub.url, token, name)
            return seconds(lambda: trees.commit(hub.url, token, f"lin/{name}", body))

        def theirs() -> float:
            address = peer.new_repository(f"many-{next(turn)}")
            return seconds(lambda: run("git", "push", "-q", address, "main", cwd=work))

        before = cpu_seconds(pid_of(hub))
        loose = taking_turns(lab.rounds, ours, theirs)
        cpu = (cpu_seconds(pid_of(hub)) - before) / lab.rounds
        run("git", "repack", "-qad", cwd=work)
        packed = taking_turns(lab.rounds, ours, theirs)
    note = f"{len(body) / 1e6:.0f} MB of NDJSON; {cpu:.2f} CPU s of the server a commit"
    return [
        Row(
            f"commit of {count} files, against a push of {state} objects",
            f"{median(commit):.2f} s",
            median(commit) / median(push),
            peer=f"{median(push):.2f} s (git push, http-backend)",
            aim=aim,
            more_is_better=False,
            note=note,
        )
        for state, (commit, push), aim in (("loose", loose, AIM), ("packed", packed, None))
    ]
