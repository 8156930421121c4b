"""The names of what a restore makes."""

from collections.abc import Sequence

from karbor_backup_core import InvalidInput, Operation, Resource
from karbor_backup_openstack.metadata import NAME_LIMIT
from karbor_backup_openstack.resource_types import PROJECT, SERVER
from karbor_backup_openstack.server_spec import ServerSpec


def restored_name(operation: Operation, source: Resource, device: str = "") -> str:
    """Return the name of what is made of a source.

    Args:
        operation: the restore; without the option ``restore_name`` a name stays as it was.
        source: the resource that was protected, or a member of it.
        device: the device's name of a server's volume, such as ``/dev/vdb``.
    """
    return _whole_name(operation, source, device)[:NAME_LIMIT]


def check_names(
    operation: Operation, members: Sequence[Resource], servers: Sequence[ServerSpec]
) -> None:
    """Refuse a restore that would have to cut a name, so that two could become one.

    Args:
        operation: the restore.
        members: what its backup holds beside the servers.
        servers: the servers that are made again.

    Raises:
        InvalidInput: the option ``restore_name`` is too long for one of them.
    """
    devices = {a.volume: a.device for server in servers for a in server.attachments}
    sources = [operation.resource, *(Resource(SERVER, s.id, s.name) for s in servers)]
    sources += members
    given = len(operation.options.get("restore_name", ""))
    lengths = [(len(_whole_name(operation, s, devices.get(s.id, ""))), s) for s in sources]
    length, source = max(lengths, key=lambda pair: pair[0])
    if not given or length <= NAME_LIMIT:
        return
    most = NAME_LIMIT - (length - given)
    remedy = f"give one of at most {most}" if most > 0 else "restore its members one by one"
    raise InvalidInput(
        f"restore_name: {given} characters: {source.type} {source.id} would get a name of "
        f"{length}, and Nova, Cinder and Glance take {NAME_LIMIT}: {remedy}"
    )


def _whole_name(operation: Operation, source: Resource, device: str) -> str:
    given: str = operation.options.get("restore_name", "")
    if not given:
        return source.name
    if source.id == operation.resource.id:
        return given
    own = source.name or source.id
    if operation.resource.type != PROJECT and device:
        own = device.rpartition("/")[2]
    return f"{given}-{own}"
