"""Karbor's own unit tests for its Freezer plugin pass on this project's plugin."""

import ast
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from freezerclient.v2.client import Client

from sandbox import Sandbox
from sandbox.environments import Environment
from tests.e2e.contract.scripted_harness import ScriptedEnvironment, SharedTokenSessions
from tests.karbor_glue.scenario_runner import run_once
from tests.support.scripted_agent import ScriptedAgent
from tests.support.scripted_cloud import block_storage
from tests.support.scripted_scheduler import ScriptedScheduler

SCENARIO = Path(__file__).with_name("plugin_unit_tests.py")
INSTALLED = "karbor/tests/unit/protection/test_cinder_freezer_protection_plugin.py"
VOLUME = "123"
"""The volume of Karbor's tests."""

CASES = (
    "test_create_backup",
    "test_delete_backup",
    "test_get_options_schema",
    "test_get_restore_schema",
    "test_get_saved_info_schema",
    "test_get_supported_resources_types",
)


@pytest.fixture(scope="session")
def environ(sandbox: Sandbox, shared: Path, worker_id: str) -> Iterator[dict[str, str]]:
    """Yield the environment of a real Freezer whose scheduler works on a scripted cloud."""
    folder = shared / f"plugin-unit-tests-{worker_id}"
    folder.mkdir()
    with ScriptedEnvironment.start(sandbox) as environment:
        session = SharedTokenSessions(environment).new_session()
        project = str(session.get_project_id())
        state = environment.cloud.state
        volume = block_storage.new_volume(state, project, {"size": 1, "name": "fake"})
        shown = {**volume.shown, "id": VOLUME, "status": "available"}
        state.volumes.add(project, shown, identifier=VOLUME, content=b"the volume's")
        environment.write_clouds_yaml(folder / "clouds.yaml")
        freezer = Client(session=session, endpoint=sandbox.freezer_url)
        agent = ScriptedAgent(folder / "store", socket.gethostname(), state, project)
        name = f"plugin-unit-tests-{worker_id}"
        options = {
            "cloud": "demo",
            "storage": "local",
            "container": str(folder / "store" / name),
            "scheduler_client_id": name,
        }
        facts = {"options": options, "folder": str(folder)}
        with (
            ScriptedScheduler(freezer, agent, client_id=name) as scheduler,
            scheduler.run_in_background(0.2),
        ):
            yield {
                "OS_CLIENT_CONFIG_FILE": str(folder / "clouds.yaml"),
                "PLUGIN_UNIT_TESTS": json.dumps(facts),
            }


@pytest.mark.timeout(900)
@pytest.mark.parametrize("case", CASES)
def test_unit_test_of_karbor(
    full_karbor: Environment, shared: Path, environ: dict[str, str], case: str
) -> None:
    run_once(full_karbor, SCENARIO, shared, environ).check(case)


def test_all_unit_tests_of_the_installed_package_are_run(full_karbor: Environment) -> None:
    (installed,) = full_karbor.path.glob(f"lib/python*/site-packages/{INSTALLED}")
    installed_tests = {
        node.name
        for node in ast.walk(ast.parse(installed.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert installed_tests == set(CASES)
