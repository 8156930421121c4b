"""The Python that the pages show is run."""

from pathlib import Path
from typing import Final

import pytest
from pytest_mock import MockerFixture

from sandbox import Sandbox
from sandbox.openstack.testing import CloudTestTools
from tests.pages.blocks import Block
from tests.pages.reader import run_python

pytest_plugins = ["pytester"]

_STORE: Final = "/var/lib/karbor-backup"

_SERVICE: Final = """
import attrs
from karbor_backup_core import hookimpl
from karbor_backup_fake import FakeBackend, FakeCloud
from karbor_backup_fake.harness import CloudResources


class MyService:
    def __init__(self):
        self.cloud = FakeCloud("page")
        self.resources = CloudResources(self.cloud)

    def jobs(self):
        return [job.id for job in self.cloud.jobs()]

    def everything_else(self):
        return [*self.cloud.inventory.copies, *self.cloud.inventory.assets]


class MyBackend(FakeBackend):
    def __init__(self, configuration, service):
        super().__init__({}, cloud=service.cloud)

    @hookimpl
    def describe(self):
        whole = super().describe()
        abilities = {"OS::Cinder::Volume": whole.abilities["OS::Cinder::Volume"]}
        return attrs.evolve(whole, abilities=abilities)
"""
"""What the page leaves to its reader: the fake backend, for volumes only."""


def test_store_keeps_a_backup(marked_blocks: list[Block], tmp_path: Path) -> None:
    (block,) = marked_blocks
    store = run_python(block, replaced={_STORE: str(tmp_path)})["store"]
    assert list(store.backups()) == []
    store.close()


def test_suite_runs_on_a_backend(
    marked_blocks: list[Block], pytester: pytest.Pytester, pytestconfig: pytest.Config
) -> None:
    (block,) = marked_blocks
    pytester.makepyfile(f"{_SERVICE}\n{block.text}")
    pytester.syspathinsert(pytestconfig.rootpath)
    result = pytester.runpytest("-q")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["fake *: conformant to contract 1.1: * rules tried (* passed*), * skipped*"]
    )


def test_calls_of_the_cloud_test_tools_have_valid_arguments(
    marked_blocks: list[Block], mocker: MockerFixture
) -> None:
    # A whole cloud needs root; what its tests call is tried there. Here names and arguments are.
    (block,) = marked_blocks
    sandbox = mocker.create_autospec(Sandbox, instance=True)
    sandbox.cloud_test_tools = mocker.create_autospec(CloudTestTools, instance=True)
    run_python(block, {"sandbox": sandbox, "volume_id": "volume", "server_id": "server"})
    sandbox.cloud_test_tools.inventory.assert_called_once_with("demo")
