"""``python -m jishi`` is ``jishi``."""

from __future__ import annotations

import sys

from jishi.cli import main

sys.exit(main())
