"""Images: what is written down of one."""

from typing import TYPE_CHECKING, Final

from karbor_backup_freezer.pieces import Mode, Piece
from karbor_backup_freezer.resources import IMAGE
from karbor_backup_freezer.survey.notes import compact

if TYPE_CHECKING:
    from openstack.image.v2.image import Image

_KEPT: Final = (
    "disk_format",
    "container_format",
    "min_disk",
    "min_ram",
    "visibility",
    "tags",
    "architecture",
    "os_type",
    "os_distro",
    "os_version",
)
_READ_ONLY: Final = ("stores", "owner_specified.")
"""Properties that Glance and openstacksdk's uploads write themselves."""


def image_piece(image: "Image") -> Piece:
    """Write down an image: its data, and what is needed to make one like it."""
    properties = {
        name: value
        for name, value in (image.properties or {}).items()
        if not name.startswith(_READ_ONLY)
    }
    details = {name: getattr(image, name) for name in _KEPT}
    return Piece(
        type=IMAGE,
        id=image.id,
        name=image.name or "",
        mode=Mode.GLANCE,
        size=image.size,
        details=compact({**details, "properties": properties}),
    )
