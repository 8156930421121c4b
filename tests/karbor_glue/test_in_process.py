"""Karbor's real parts in one process over the fake backend, on the newest dependencies."""

from pathlib import Path

import pytest

from sandbox.environments import Environment
from tests.karbor_glue.scenario_runner import SCENARIOS, list_test_functions, run_once

FILES = (
    "option_hints",
    "flows",
    "failures",
    "crashes",
    "late_lists",
    "leases",
    "records",
    "settings",
)
CASES = [(name, case) for name in FILES for case in list_test_functions(SCENARIOS / f"{name}.py")]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("name", "case"), CASES, ids=[f"{n}-{c}" for n, c in CASES])
def test_scenario(newest_karbor: Environment, shared: Path, name: str, case: str) -> None:
    run_once(newest_karbor, SCENARIOS / f"{name}.py", shared).check(case)
