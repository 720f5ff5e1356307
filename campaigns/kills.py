"""Two hundred kills: ``python -m campaigns.kills [COUNT [SEED]]`` prints what is committed."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.kills.killing import KINDS, killing


def main(count: int = 200, seed: int = 1) -> None:
    """Kill a server ``count`` times under real clients and print what each kill met."""
    print(f"kills {count}, seed {seed}, {os.cpu_count()} cores, {platform.platform()}")
    print("kind    delay_s  of_s   under_way  answered_before")
    with tempfile.TemporaryDirectory() as folder, killing(Path(folder), seed) as killer:
        kills = []
        for number in range(count):
            kill = killer.kill_during(KINDS[number % len(KINDS)])
            kills.append(kill)
            row = f"{kill.kind:<8}{kill.delay:>7.3f}{kill.length:>7.3f}"
            print(f"{row}{kill.was_under_way!s:>11}{kill.answered:>12}", flush=True)
        files = killer.compare_all()
    met = Counter(kill.was_under_way for kill in kills)
    answered = sum(kill.answered for kill in kills)
    print(f"under way {met[True]} of {count}, {answered} calls answered before a kill,")
    print(f"all {files} acknowledged files hash-equal at the end, doctor healthy after each kill")
    assert met[True] * 2 >= count
    assert answered >= 1


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
