"""Clouds by name, so that a backend that knows only its configuration finds its cloud again."""

import threading
from typing import Final

from karbor_backup_core import Resource
from karbor_backup_fake._cloud import FakeCloud

_clouds: Final[dict[str, FakeCloud]] = {}
_lock: Final = threading.Lock()


def named_cloud(name: str) -> FakeCloud:
    """Return this process's cloud of that name; a new one has a small project in it.

    It holds a project (``project-1``) of a server (``server-1``) with a boot volume
    (``volume-1``), and of a data volume (``volume-2``).
    """
    with _lock:
        if name not in _clouds:
            _clouds[name] = seed_cloud(FakeCloud(name))
        return _clouds[name]


def seed_cloud(cloud: FakeCloud) -> FakeCloud:
    """Put a small project into a cloud; see ``named_cloud``."""
    boot = cloud.add_resource(
        Resource("OS::Cinder::Volume", "volume-1", "boot"), b"boot sector\x00\x01"
    )
    data = cloud.add_resource(
        Resource("OS::Cinder::Volume", "volume-2", "data"), b"rows of a database"
    )
    server = cloud.add_resource(
        Resource("OS::Nova::Server", "server-1", "web"), b"flavor: small", (boot,)
    )
    cloud.add_resource(
        Resource("OS::Keystone::Project", "project-1", "shop"), b"quota: 10", (server, data)
    )
    return cloud
