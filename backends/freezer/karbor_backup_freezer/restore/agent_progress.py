"""Which pieces of a backup the agent has got to, by what bears their prefixes.

Freezer does not tell which action of a job failed, and its scheduler skips those that come after
it. What the agent makes of a piece bears the prefix of that piece's action (freezer 19.0.0).
"""

from karbor_backup_freezer.cloud.resources import source_image_name
from karbor_backup_freezer.restore.context import RestoreContext


def find_attempted_items(context: RestoreContext) -> frozenset[int]:
    """The places in the backup of the pieces of which the agent has left anything."""
    names = [
        *(image.name or "" for image in context.images),
        *(volume.name or "" for volume in context.volumes),
        *(source_image_name(volume) for volume in context.volumes),
    ]
    return frozenset(
        index
        for index in range(len(context.contents.pieces))
        if any(name.startswith(context.item_prefix(index)) for name in names)
    )
