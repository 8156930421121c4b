"""The command on a real cloud: what a person types, and what comes back."""

import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest
from click.testing import Result
from openstack.connection import Connection

from sandbox.openstack.guest import TEXT_OFFSET
from sandbox.openstack.testing import CloudTestTools
from tests.cli.invoke import invoke_program
from tests.e2e.freezer.harness import FreezerHarness

SERVER = "OS::Nova::Server"
VOLUME = "OS::Cinder::Volume"

_CONFIG = """\
[store]
url = "sqlite:///{store}"
[policy]
poll_first = 0.5
poll_limit = 2
[backends.freezer]
cloud = "demo"
container = "{container}"
scheduler = "node1"
[backends.freezer.storages.disk]
kind = "local"
path = "{storage}"
"""


@attrs.frozen
class Command:
    """The command, configured for the cloud."""

    environ: dict[str, str]

    def run(self, *arguments: str) -> Result:
        """Run it, as a person does."""
        return invoke_program(*arguments, environ=self.environ)

    def run_json(self, *arguments: str) -> Any:
        """Run it, insist on success, and return its document."""
        result = self.run(*arguments, "--json")
        assert result.exit_code == 0, result.stderr
        assert not result.stderr
        return json.loads(result.stdout)


@pytest.fixture
def command(harness: FreezerHarness, tmp_path: Path) -> Command:
    config = tmp_path / "config.toml"
    config.write_text(
        _CONFIG.format(
            store=tmp_path / "operations.sqlite", container=harness.top, storage=harness.storage
        )
    )
    return Command({"KARBOR_BACKUP_CONFIG": str(config)})


def run_round_trip(
    command: Command, kind: str, identifier: str, name: str, lose: Callable[[], None]
) -> dict[str, Any]:
    """Protect a resource, lose it, look its backup up, verify and restore it.

    Returns:
        the restore's outcome.
    """
    protected = command.run_json("protect", kind, identifier, "-o", "backup_name=nightly")
    backup = protected["outcome"]["backup"]
    (kept,) = command.run_json("list")["backups"]
    assert kept["id"] == backup["id"]
    assert kept["resource"]["id"] == identifier
    shown = command.run_json("show", backup["id"])["backup"]
    assert (shown["id"], shown["handle"]) == (backup["id"], backup["handle"])
    lose()
    assert command.run_json("verify", backup["id"])["outcome"]["result"] == "succeeded"
    restored = command.run_json("restore", backup["id"][:8], "-o", f"restore_name={name}")
    outcome: dict[str, Any] = restored["outcome"]
    return outcome


def delete_only_backup(command: Command) -> None:
    """Remove the only backup."""
    (kept,) = command.run_json("list")["backups"]
    command.run_json("delete", kept["id"], "--yes")
    assert command.run_json("list")["backups"] == []


@pytest.mark.shows("volume", "cinder", "local", "by the command: its bytes under a new name")
@pytest.mark.usefixtures("nothing_left")
def test_volume_is_protected_restored_and_deleted_by_the_command(
    command: Command,
    harness: FreezerHarness,
    cloud_tools: CloudTestTools,
    sdk: Connection,
    make_volume: Callable[..., str],
) -> None:
    volume, name = make_volume("volume", b"before"), f"{harness.top}-new"
    outcome = run_round_trip(
        command, VOLUME, volume, name, lambda: cloud_tools.write_volume(volume, 0, b"after!")
    )
    (new,) = outcome["resources"]
    assert new["name"] == sdk.block_storage.get_volume(new["id"]).name == name
    assert cloud_tools.read_volume(new["id"], 0, 6) == b"before"
    assert cloud_tools.read_volume(volume, 0, 6) == b"after!"
    delete_only_backup(command)


@pytest.mark.shows(
    "server from an image", "nova", "local", "by the command: its disk under a new name"
)
@pytest.mark.usefixtures("nothing_left")
def test_server_of_an_image_is_protected_restored_and_deleted_by_the_command(
    command: Command,
    harness: FreezerHarness,
    cloud_tools: CloudTestTools,
    sdk: Connection,
    make_image: Callable[..., str],
    make_server: Callable[..., str],
) -> None:
    server, name = make_server("server", make_image("guest")), f"{harness.top}-new"
    cloud_tools.write_disk(server, TEXT_OFFSET, b"before")
    outcome = run_round_trip(
        command,
        SERVER,
        server,
        name,
        lambda: cloud_tools.write_disk(server, TEXT_OFFSET, b"after!"),
    )
    new = outcome["resources"][0]
    assert new["name"] == sdk.compute.get_server(new["id"]).name == name
    assert cloud_tools.guest_texts(new["id"]) == ["before"]
    assert cloud_tools.read_disk(server, TEXT_OFFSET, 6) == b"after!"
    delete_only_backup(command)


@pytest.mark.parametrize("kind", [VOLUME, SERVER])
@pytest.mark.usefixtures("nothing_left")
def test_unknown_id_is_one_line_and_status_2(command: Command, kind: str) -> None:
    nobody = str(uuid.uuid4())
    refused = command.run("protect", kind, nobody, "-o", "backup_name=nightly")
    assert refused.exit_code == 2
    assert refused.stdout == ""
    assert refused.stderr.startswith("karbor-backup: ")
    assert nobody in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert command.run_json("list")["backups"] == []
