"""Settings of hypothesis for a soak: more examples, and failures kept beside the report."""

import os
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis.database import DirectoryBasedExampleDatabase

settings.register_profile(
    "soak",
    max_examples=int(100 * float(os.environ.get("SOAK_SIZE", "5"))),
    deadline=None,
    print_blob=True,
    database=DirectoryBasedExampleDatabase(Path("build/soak/examples")),
    suppress_health_check=list(HealthCheck),
)
