"""Which pieces of a backup the agent has got to, by what bears their prefixes.

Freezer does not tell which action of a job failed, and its scheduler skips those that come after
it. What the agent makes of a piece bears the prefix of that piece's action (freezer 19.0.0).
"""

from karbor_backup_freezer.cloud.things import image_name
from karbor_backup_freezer.rebuild.site import Site


def reached(site: Site) -> frozenset[int]:
    """The places in the backup of the pieces of which the agent has left anything."""
    names = [
        *(image.name or "" for image in site.images),
        *(volume.name or "" for volume in site.volumes),
        *(image_name(volume) for volume in site.volumes),
    ]
    return frozenset(
        index
        for index in range(len(site.contents.pieces))
        if any(name.startswith(site.prefix(index)) for name in names)
    )
