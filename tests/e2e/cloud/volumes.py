"""Volumes of a whole cloud, and Cinder's own backups of them."""

from collections.abc import Iterator
from contextlib import contextmanager

from openstack.connection import Connection

from karbor_backup_core import Resource
from sandbox import Sandbox
from sandbox.openstack.testing import CloudTestTools


@contextmanager
def stopped_server(sandbox: Sandbox, server: str) -> Iterator[None]:
    """Stop a server of the cloud, and start it again at the end of the block."""
    sandbox.stop(server)
    try:
        yield
    finally:
        sandbox.restart(server)


def list_cinder_backups(sdk: Connection, volume: Resource) -> set[str]:
    """Return the ids of Cinder's backups of a volume."""
    return {b.id for b in sdk.block_storage.backups(details=False, volume_id=volume.id)}


def read_start(cloud_tools: CloudTestTools, volume: Resource) -> bytes:
    """Return the first five bytes of a volume."""
    content: bytes = cloud_tools.read_volume(volume.id, 0, 5)
    return content
