"""Print what the suites said; fail if one failed, skipped, is late or is missing.

``python -m tools.table test clients e2e`` reads ``.cache/reports/<suite>.xml``.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).resolve().parents[1]
REPORTS = ROOT / ".cache" / "reports"
BUDGET = ROOT / "tests" / "BUDGET.toml"


def main(names: list[str]) -> int:
    """Print the table for the suites whose names begin with one of ``names``."""
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    budget = tomllib.loads(BUDGET.read_text(encoding="utf-8"))
    late = []
    rows = [("suite", "passed", "failed", "skipped", "seconds")]
    for name in names:
        files = sorted(REPORTS.glob(f"{name}*.xml"))
        if not files:
            rows.append((name, "-", "missing", "-", "-"))
            totals["failed"] += 1
        for file in files:
            counts, seconds = _read(file)
            rows.append((file.stem, *(str(counts[key]) for key in totals), f"{seconds:.0f}"))
            for key in totals:
                totals[key] += counts[key]
            if seconds > budget[name] * 60:
                late.append(f"{file.stem} took {seconds:.0f} s, its budget is {budget[name]} min")
    for row in rows:
        print(f"{row[0]:<24}" + "".join(f"{cell:>10}" for cell in row[1:]))
    print(*late, sep="\n", end="\n" if late else "")
    print(", ".join(f"{totals[key]} {key}" for key in totals))
    is_red = totals["failed"] or totals["skipped"] or late or not totals["passed"]
    return 1 if is_red else 0


def _read(file: Path) -> tuple[dict[str, int], float]:
    suites = list(ET.parse(file).getroot().iter("testsuite"))  # noqa: S314  (written by pytest)
    total = sum(int(suite.get("tests", 0)) for suite in suites)
    failed = sum(int(s.get("failures", 0)) + int(s.get("errors", 0)) for s in suites)
    skipped = sum(int(suite.get("skipped", 0)) for suite in suites)
    seconds = sum(float(suite.get("time", 0)) for suite in suites)
    return {"passed": total - failed - skipped, "failed": failed, "skipped": skipped}, seconds


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
