"""Mode ``nova``: servers, one by one or all of a project, by images that Nova makes of them."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from tests.support.scripted_agent.modes import AgentError, AgentHost, EngineFolder, temporary_name
from tests.support.scripted_cloud import block_storage, compute, images
from tests.support.scripted_cloud.state import CloudState, FakeResource


@attrs.frozen
class ServerMode:
    """Mode ``nova`` of one server.

    Attributes:
        host: where the agent works.
        state: what there is in the cloud.
        project: the id of the project that the agent works for.
    """

    host: AgentHost
    state: CloudState
    project: str

    def back_up(self, action: Mapping[str, str], *, whole: bool) -> dict[str, Any]:
        """Store a server; the image that was made for it stays if it is left half done.

        Of a server that boots from a volume nothing is stored, and a snapshot stays, as seen of
        freezer 19.0.0.
        """
        server = self.state.servers.get(action["nova_inst_id"], self.project)
        backup = self._engine_folder(action, server.id).new_backup()
        backup.data_file.parent.mkdir(parents=True)
        name = temporary_name(action, f"backup_{server.id}")
        boots_from_image = bool(server.shown["image"])
        if not boots_from_image:
            self._leave_snapshots(server, name)
        data = server.content if boots_from_image else b""
        if not whole:
            images.new_image(self.state, self.project, {"name": name}, data)
            backup.data_file.write_bytes(data[:-1])
            return {}
        backup.data_file.write_bytes(data)
        engine_notes = {
            "server_name": server.name,
            "length": str(len(data)),
            "boot_device_type": "image",
            "image_container_format": "bare",
            "image_disk_format": "qcow2",
        }
        shown = {**server.shown, "addresses": compute.list_addresses(self.state, server)}
        backup.write_metadata(engine_notes, {"engine_name": "nova", "server": shown})
        return {}

    def restore(self, action: Mapping[str, str], *, whole: bool) -> None:
        """Begin a new server of the newest backup; its image stays, as seen of freezer 19.0.0."""
        backup = self._engine_folder(action, action["nova_inst_id"]).newest_backup()
        shown = backup.resource_metadata["server"]
        name = temporary_name(action, f"restore_{shown['name']}")
        data = backup.data_file.read_bytes()
        image = images.new_image(
            self.state,
            self.project,
            {"name": name, "container_format": "bare", "disk_format": "qcow2"},
            data,
        )
        if not whole:
            return
        (flavor,) = self.state.flavors.find_by_name(shown["flavor"]["original_name"])
        names = set(shown["addresses"])
        compute.new_server(
            self.state,
            self.project,
            {
                "name": f"{shown['name']}~{backup.timestamp}",
                "flavorRef": flavor.id,
                "imageRef": image.id,
                "networks": [{"uuid": n.id} for n in self.state.networks if n.name in names],
            },
        )

    def remove(self, action: Mapping[str, str]) -> None:
        """Remove the backups that were finished."""
        for backup in self._engine_folder(action, action["nova_inst_id"]).finished_backups():
            for folder in backup.folders:
                shutil.rmtree(folder)

    def _engine_folder(self, action: Mapping[str, str], server: str) -> EngineFolder:
        path = f"nova/{self.host.backup_name(action)}/{server}"
        return EngineFolder(self.host.container_folder(action), path)

    def _leave_snapshots(self, server: FakeResource, name: str) -> None:
        for attached in server.shown["os-extended-volumes:volumes_attached"]:
            asked = {"volume_id": attached["id"], "name": f"snapshot for {name}"}
            block_storage.new_snapshot(self.state, self.project, asked)


@attrs.frozen
class ProjectMode:
    """Mode ``nova`` of all servers of a project: what fails is passed over in silence.

    Attributes:
        servers: the mode of one server.
    """

    servers: ServerMode

    def back_up(self, action: Mapping[str, str], *, whole: bool) -> dict[str, Any]:
        """Store the servers of the project.

        Raises:
            AgentError: there is none.
        """
        servers = self.servers.state.servers.visible_to(self.servers.project)
        if not servers:
            raise AgentError("max_workers must be greater than 0")
        self._list_file(action).parent.mkdir(parents=True, exist_ok=True)
        self._list_file(action).write_text(json.dumps([server.id for server in servers]))
        for server in servers:
            self.servers.back_up({**action, "nova_inst_id": server.id}, whole=whole)
        return {}

    def restore(self, action: Mapping[str, str], *, whole: bool) -> None:
        """Begin new servers of the newest backups."""
        for server in self._read_list(action):
            self.servers.restore({**action, "nova_inst_id": server}, whole=whole)

    def remove(self, action: Mapping[str, str]) -> None:
        """Remove the backups of the servers; the list of them stays."""
        for server in self._read_list(action):
            self.servers.remove({**action, "nova_inst_id": server})

    def _list_file(self, action: Mapping[str, str]) -> Path:
        return self.servers.host.container_folder(action) / f"project_{action['project_id']}"

    def _read_list(self, action: Mapping[str, str]) -> list[str]:
        if not self._list_file(action).is_file():
            raise AgentError(f"No such file: {self._list_file(action)}")
        listed: list[str] = json.loads(self._list_file(action).read_text())
        return listed
