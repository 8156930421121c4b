"""Run the attacks again and again for a time, and write a report: ``python -m tests.soak``.

``SOAK_SECONDS`` is how long, by default an hour. Each run has a seed of its own, by which it can
be repeated; hypothesis keeps what has failed in ``build/soak/examples``. The status is 1 if a run
has failed, or an attack has not run at all. In less than an hour each test tries fewer examples,
and every attack runs once all the same.
"""

import os
import sys
import time
from pathlib import Path
from typing import Final

from tests.soak.soak import soak
from tests.soak.suites import SUITES

_FOLDER: Final = Path("build/soak")
_HOUR: Final = 3600.0
_SIZE: Final = 5.0
_LEAST_SIZE: Final = 0.25
"""How many times hypothesis's usual examples each test tries, in an hour and at least."""

if __name__ == "__main__":
    seconds = float(os.environ.get("SOAK_SECONDS") or _HOUR)
    size = max(_LEAST_SIZE, _SIZE * min(1.0, seconds / _HOUR))
    os.environ.setdefault("SOAK_SIZE", str(size))
    sys.exit(soak(SUITES, time.monotonic() + seconds, _FOLDER))
