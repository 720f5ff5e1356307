"""``python -m campaigns``: all of them, each result into its file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

for script in sorted(HERE.glob("[a-z]*.py")):
    with script.with_suffix(".txt").open("w", encoding="utf-8") as out:
        subprocess.run([sys.executable, "-m", f"campaigns.{script.stem}"], stdout=out, check=True)
