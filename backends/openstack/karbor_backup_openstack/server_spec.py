"""What is needed to make a server again."""

import attrs

from karbor_backup_core import Json
from karbor_backup_openstack.documents import Document


@attrs.frozen(kw_only=True)
class Attachment(Document):
    """A volume of a server.

    Attributes:
        volume: the volume's id.
        device: the device's name in the server, such as ``/dev/vdb``.
        boot_index: its place in the boot order, None where it has none.
        delete_on_termination: whether it goes with the server.
        included: whether an item holds its data.
    """

    volume: str
    device: str = ""
    boot_index: int | None = None
    delete_on_termination: bool = False
    included: bool


@attrs.frozen(kw_only=True)
class ServerSpec(Document):
    """What is needed to make a server again.

    Attributes:
        id: the server's id.
        name: its name.
        boots_from_volume: whether its system is on a volume.
        attachments: its volumes.
        details: ``flavor`` (id, name, vcpus, ram, disk), ``networks`` (of each: network,
            network_name, fixed_ips, mac, port, security_groups, allowed_address_pairs),
            ``key_name``,
            ``availability_zone``, ``metadata``, ``config_drive``, ``tags``, ``description``, and of
            its image the properties that shape the machine, ``image_properties``.
    """

    id: str
    name: str
    boots_from_volume: bool
    attachments: tuple[Attachment, ...] = ()
    details: Json = attrs.field(factory=dict)
