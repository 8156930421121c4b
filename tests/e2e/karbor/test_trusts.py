"""Karbor's credentials on a real Keystone."""

import json
import secrets
from pathlib import Path

import pytest

from sandbox import Sandbox
from sandbox.environments import Environment
from sandbox.layout import file_lock
from tests.e2e.karbor.accounts import make_karbor_user
from tests.karbor_glue.scenario_runner import list_test_functions, run_once

SCENARIO = Path(__file__).with_name("trust_scenarios.py")


@pytest.fixture(scope="session")
def facts(sandbox: Sandbox, shared: Path) -> str:
    """Return what the scenario needs to know; Karbor's own user is made first, once in a run."""
    known = shared / "facts.json"
    with file_lock(known.with_suffix(".lock")):
        if not known.exists():
            password = secrets.token_hex(16)
            make_karbor_user(sandbox, "karbor", password)
            facts = {
                "auth_url": sandbox.auth_url,
                "demo": sandbox.accounts["demo"].password,
                "karbor": password,
                "storage": str(sandbox.storage_dir / "karbor-trusts"),
            }
            known.write_text(json.dumps(facts))
        return known.read_text()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("case", list_test_functions(SCENARIO))
def test_scenario(full_karbor: Environment, shared: Path, facts: str, case: str) -> None:
    run_once(full_karbor, SCENARIO, shared, {"TRUSTS_TEST": facts}).check(case)
