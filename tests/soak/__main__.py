"""Run the attacks again and again for a time, and write a report: ``python -m tests.soak``.

``SOAK_SECONDS`` is how long, by default an hour. Each run has a seed of its own, by which it can
be repeated; hypothesis keeps what has failed in ``build/soak/examples``. The status is 1 if a run
has failed, or an attack has not run at all.
"""

import os
import sys
import time
from pathlib import Path
from typing import Final

from tests.soak.attacks import ATTACKS
from tests.soak.soak import soak

_FOLDER: Final = Path("build/soak")
_HOUR: Final = 3600.0

if __name__ == "__main__":
    seconds = float(os.environ.get("SOAK_SECONDS") or _HOUR)
    sys.exit(soak(ATTACKS, time.monotonic() + seconds, _FOLDER))
