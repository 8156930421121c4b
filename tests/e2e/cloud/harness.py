"""Operations on a whole cloud, which take their time."""

import functools
from typing import Final

from tests.e2e.freezer import harness

TIMEOUT: Final = 900.0
"""Seconds after which a test no longer believes that an operation ends."""

wait_finished = functools.partial(harness.wait_finished, timeout=TIMEOUT)
run_operation = functools.partial(harness.run_operation, timeout=TIMEOUT)
protect_resource = functools.partial(harness.protect_resource, timeout=TIMEOUT)
