"""``python -m bench [--scale X] [--rounds N] [NAME …]``: measure, print, write the page.

Figures at full scale are kept in ``.cache/bench``; the page is written of what is there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

from bench import clones, commits, downloads, first_file, sizes, small, starts, uploads
from bench.lab import Lab, lab, say
from bench.report import Row, keep, table, write_page

BENCHES: Mapping[str, Callable[[Lab], Sequence[Row]]] = {
    "downloads": downloads.measure,
    "uploads": uploads.measure,
    "commits": commits.measure,
    "clones": clones.measure,
    "small": small.measure,
    "first_file": first_file.measure,
    "starts": starts.measure,
    "sizes": sizes.measure,
}


def main() -> int:
    """Return 0 if every aim was met."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], default=[])
    parser.add_argument("--scale", type=float, default=1.0, help="of sizes and counts")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    names = given.names or list(BENCHES)
    results: dict[str, Sequence[Row]] = {}
    with lab(given.scale, given.rounds) as place:
        for name in names:
            say(name)
            results[name] = BENCHES[name](place)
            sys.stdout.write(f"\n{name}\n{table(results[name])}\n")
            sys.stdout.flush()
            if given.scale == 1:
                keep(name, results[name], given.rounds)
    if not write_page(list(BENCHES)):
        say("Not every bench was run at full scale yet: no page is written.")
    return 0 if all(row.is_met for rows in results.values() for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
