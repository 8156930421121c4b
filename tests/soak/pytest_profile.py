"""Settings of a soak's runs of pytest: more examples, failures kept, an order by the seed."""

import os
import random
import signal
from pathlib import Path

import pytest
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


def pytest_configure() -> None:
    """End at SIGTERM as at Ctrl-C, with a summary of the tests so far."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Shuffle the tests, so that runs that are cut short do not all leave out the same ones."""
    random.Random(str(config.getoption("--hypothesis-seed"))).shuffle(items)  # noqa: S311 - an order, no secret
