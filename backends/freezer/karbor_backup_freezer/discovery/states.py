"""In which states Freezer's agent can back something up, and why not in the others.

A server's are those in which Nova makes an image of it (nova 34, ``compute/api.py``,
``snapshot``); a volume's those of ``karbor_backup_openstack.volumes``.
"""

from typing import TYPE_CHECKING, Final

from karbor_backup_openstack.volumes import join_states, volume_state_problem

if TYPE_CHECKING:
    from openstack.block_storage.v3.volume import Volume
    from openstack.compute.v2.server import Server
    from openstack.image.v2.image import Image

_SERVER_READY_STATES: Final = ("ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED")
_SERVER_FAILED_STATES: Final = frozenset({"ERROR", "DELETED", "SOFT_DELETED", "UNKNOWN"})
_SERVER_SHELVED_STATES: Final = frozenset({"SHELVED", "SHELVED_OFFLOADED"})
_IMAGE_READY_STATE: Final = "active"


def server_problem(server: "Server") -> str:
    """Describe why a server cannot be backed up now; empty if it can."""
    what = f"server {server.id} ({server.name})"
    if server.status in _SERVER_FAILED_STATES:
        return f"{what} is in state {server.status}: repair it first"
    if server.status in _SERVER_SHELVED_STATES:
        return f"{what} is in state {server.status}: unshelve it first"
    if server.task_state:
        return f"{what} is in the middle of the task {server.task_state!r}: wait for its end"
    if server.status not in _SERVER_READY_STATES:
        return (
            f"{what} is in state {server.status}: it can be backed up in "
            f"{join_states(_SERVER_READY_STATES)}"
        )
    return ""


def volume_problem(volume: "Volume") -> str:
    """Describe why a volume cannot be backed up now, or never; empty if it can."""
    if volume.is_encrypted:
        return (
            f"volume {volume.id} ({volume.name}) is encrypted, of type {volume.volume_type!r}: "
            "Freezer stores its bytes without the key that reads them"
        )
    return volume_state_problem(volume)


def image_problem(image: "Image") -> str:
    """Describe why an image cannot be backed up now; empty if it can."""
    if image.status == _IMAGE_READY_STATE:
        return ""
    return (
        f"image {image.id} ({image.name}) is in state {image.status}: it can be backed up in "
        f"{_IMAGE_READY_STATE}"
    )
