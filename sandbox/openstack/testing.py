"""What tests do with the cloud that its users cannot: look into disks, and break things."""

import errno
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import tenacity
from keystoneauth1.adapter import Adapter

from sandbox import keystone
from sandbox.accounts import CLOUDS
from sandbox.errors import SandboxError
from sandbox.instance import Instance
from sandbox.layout import Layout
from sandbox.openstack import catalog, cinder, disk_content, glance, guest, inventory, nova
from sandbox.openstack.inventory import ResourceKey

if TYPE_CHECKING:
    from openstack.connection import Connection

_TIMEOUT = 600.0
"""Seconds that only a hang lasts, also of an emulated guest on a busy machine."""
_SMALLEST_PIECE = 4096
_DEFAULT_TYPES = "3.62"


def _retry_until(reached: Callable[[Any], bool]) -> Callable[..., Any]:
    """Return what repeats a call until its result is as wanted."""
    return tenacity.retry(
        retry=tenacity.retry_if_not_result(reached),
        wait=tenacity.wait_fixed(0.3),
        stop=tenacity.stop_after_delay(_TIMEOUT),
    )


@attrs.frozen
class CloudTestTools:
    """A cloud that is up, seen from the machine that it runs on.

    Attributes:
        instance: where it runs.
    """

    instance: Instance

    def connection(self, cloud: str = CLOUDS[0]) -> "Connection":
        """Return openstacksdk's connection to one of the clouds of `clouds.yaml`."""
        return catalog.connect(self.instance.state, cloud)

    def guest_image(self, text: bytes = b"") -> bytes:
        """Return a raw image that boots in a second.

        The guest writes to its console what stands at `guest.TEXT_OFFSET` of each of its disks; the
        BIOS shows it those only that have a boot index.

        Args:
            text: what stands there on the image itself.

        Raises:
            SandboxError: the text is longer than `guest.LONGEST_TEXT` bytes.
        """
        return guest.make_image(self.instance.project, text, self.instance.report)

    def console(self, server_id: str) -> str:
        """Return what a server has written to its console since it was started."""
        output = self.connection("admin").compute.get_server_console_output(server_id)
        text: str = output["output"]
        return text

    def guest_texts(self, server_id: str) -> list[str]:
        """Return what the guest found on its disks when it was started; waits until it has looked.

        Args:
            server_id: a server that runs the guest, be it from an image or from a volume.

        Raises:
            SandboxError: it has not looked after a minute; the text ends with its console.
        """
        try:
            return guest.parse_texts(self._wait_for_guest_output(server_id))
        except tenacity.RetryError:
            raise SandboxError(
                f"The guest in {server_id} has not booted:\n{self.console(server_id)}"
            ) from None

    def read_volume(self, volume_id: str, offset: int, length: int) -> bytes:
        """Return bytes of a volume, attached or not.

        Raises:
            SandboxError: there is no such volume, or it cannot be read.
        """
        return disk_content.read_bytes(
            _volume_file(self.instance.layout, volume_id), offset, length
        )

    def write_volume(self, volume_id: str, offset: int, data: bytes) -> None:
        """Write bytes into a volume, attached or not.

        Raises:
            SandboxError: there is no such volume; or it has snapshots and a running server has it.
        """
        disk_content.write_bytes(_volume_file(self.instance.layout, volume_id), offset, data)

    def read_disk(self, server_id: str, offset: int, length: int) -> bytes:
        """Return bytes of the disk of a server that was booted from an image.

        Raises:
            SandboxError: there is no such disk on this machine, or it cannot be read.
        """
        return disk_content.read_bytes(_disk_file(self.instance.layout, server_id), offset, length)

    def write_disk(self, server_id: str, offset: int, data: bytes) -> None:
        """Write bytes to the disk of a server that was booted from an image, while it is stopped.

        Raises:
            SandboxError: there is no such disk on this machine, or the server did not stop.
        """
        disk = _disk_file(self.instance.layout, server_id)
        admin = self.connection("admin")
        admin.compute.stop_server(server_id)
        self._wait_for_server(admin, server_id, "SHUTOFF")
        disk_content.write_bytes(disk, offset, data)
        admin.compute.start_server(server_id)
        self._wait_for_server(admin, server_id, "ACTIVE")

    @contextmanager
    def fill_images(self) -> Iterator[None]:
        """Leave Glance no room: inside, an image that is uploaded fails with status 413."""
        filler = glance.image_directory(self.instance.layout) / "filler"
        try:
            _fill_file_system(filler)
            yield
        finally:
            filler.unlink(missing_ok=True)

    @contextmanager
    def break_new_volumes(self, cloud: str = CLOUDS[0]) -> Iterator[None]:
        """Let a cloud's project make no volumes: inside, a new one goes into the state `error`.

        That is so of volumes that are made without a type, since the project's default becomes one
        that no storage satisfies; one from a snapshot has its type from there.
        """
        storage = self.connection("admin").block_storage
        project = self.connection(cloud).current_project_id
        body = {"default_type": {"volume_type": catalog.UNSATISFIABLE_TYPE}}
        default = {"url": f"/default-types/{project}", "microversion": _DEFAULT_TYPES}
        storage.put(**default, json=body).raise_for_status()
        try:
            yield
        finally:
            storage.delete(**default).raise_for_status()

    def inventory(self, cloud: str = CLOUDS[0]) -> set[ResourceKey]:
        """Return all that there is in a cloud's project, as type, id and name."""
        state = self.instance.state
        session = keystone.session(state.auth_url, state.accounts[cloud])
        url = f"{state.freezer_url}/v2/{session.get_project_id()}"
        freezer = Adapter(session, endpoint_override=url)
        return inventory.list_resources(self.connection(cloud), freezer)

    @_retry_until(guest.has_finished)
    def _wait_for_guest_output(self, server_id: str) -> str:
        return self.console(server_id)

    @_retry_until(bool)
    def _wait_for_server(self, admin: "Connection", server_id: str, status: str) -> bool:
        server = admin.compute.get_server(server_id)
        return server.status == status and server.task_state is None


def _volume_file(layout: Layout, volume_id: str) -> Path:
    """Return the file with a volume's newest data, which after a snapshot is another one."""
    path = cinder.share_directory(layout) / f"volume-{volume_id}"
    noted = path.with_name(f"{path.name}.info")
    if noted.exists():
        path = path.with_name(json.loads(noted.read_text())["active"])
    return _require_file(path, f"volume {volume_id}")


def _disk_file(layout: Layout, server_id: str) -> Path:
    return _require_file(
        nova.instance_directory(layout) / server_id / "disk", f"disk of the server {server_id}"
    )


def _require_file(path: Path, what: str) -> Path:
    if not path.exists():
        raise SandboxError(f"There is no {what}: {path} does not exist")
    return path


def _fill_file_system(filler: Path) -> None:
    """Let a file take all the room of its file system, which costs no room elsewhere."""
    with filler.open("wb") as file:
        room = os.fstatvfs(file.fileno())
        piece = room.f_bavail * room.f_frsize
        taken = 0
        while piece >= _SMALLEST_PIECE:
            try:
                os.posix_fallocate(file.fileno(), taken, piece)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                piece //= 2
            else:
                taken += piece
