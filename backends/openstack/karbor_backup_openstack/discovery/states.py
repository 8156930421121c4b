"""In which states servers and images can be backed up, and why not in the others.

A server's are those in which Nova makes an image of it (nova 34, ``compute/api.py``,
``snapshot``); a volume's are in ``karbor_backup_openstack.volumes``.
"""

from typing import TYPE_CHECKING, Any, Final

from karbor_backup_openstack.volumes import join_states

if TYPE_CHECKING:
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


def image_problem(image: "Image") -> str:
    """Describe why an image cannot be backed up now; empty if it can."""
    if image.status == _IMAGE_READY_STATE:
        return ""
    return (
        f"image {image.id} ({image.name}) is in state {image.status}: it can be backed up in "
        f"{_IMAGE_READY_STATE}"
    )


def project_problem(word: str, found: Any, own: str) -> str:
    """Describe that a resource is another project's, which an administrator is shown.

    Args:
        word: what it is.
        found: it, as openstacksdk gives it.
        own: the id of the project that the credentials are for.
    """
    if not found.project_id or found.project_id == own:
        return ""
    return (
        f"{word} {found.id} is of project {found.project_id}, and the credentials are for "
        f"project {own}: use that project's credentials"
    )
