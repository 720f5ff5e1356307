"""Print what the suites said: suite · passed · skipped; fail if one failed, skipped or is missing.

``python -m tools.table test clients e2e`` reads ``.cache/reports/<suite>.xml``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from xml.etree import ElementTree as ET

REPORTS = Path(__file__).resolve().parents[1] / ".cache" / "reports"


def main(names: list[str]) -> int:
    """Print the table for the suites whose names begin with one of ``names``."""
    totals = {"passed": 0, "failed": 0, "skipped": 0}
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
    for row in rows:
        print(f"{row[0]:<24}" + "".join(f"{cell:>10}" for cell in row[1:]))
    print(", ".join(f"{totals[key]} {key}" for key in totals))
    return 1 if totals["failed"] or totals["skipped"] or not totals["passed"] else 0


def _read(file: Path) -> tuple[dict[str, int], float]:
    suites = list(ET.parse(file).getroot().iter("testsuite"))  # noqa: S314  (written by pytest)
    total = sum(int(suite.get("tests", 0)) for suite in suites)
    failed = sum(int(s.get("failures", 0)) + int(s.get("errors", 0)) for s in suites)
    skipped = sum(int(suite.get("skipped", 0)) for suite in suites)
    seconds = sum(float(suite.get("time", 0)) for suite in suites)
    return {"passed": total - failed - skipped, "failed": failed, "skipped": skipped}, seconds


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
