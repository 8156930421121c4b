"""Names that are too long for what the agent makes of them at a restore (freezer 19.0.0).

It appends a tilde and the backup's time to the name of a volume, a server and an image
(``openstack/restore.py``, ``engine/nova/nova.py``, ``engine/glance/glance.py``), and makes an image
that is named after the action's prefix and the server. What is longer than Cinder, Nova and Glance
take ends the job, when nothing can be done about it any more.
"""

from collections.abc import Iterator
from typing import Final

from karbor_backup_freezer.identifiers import job_id, piece_prefix
from karbor_backup_freezer.pieces import Mode, Survey

_LIMIT: Final = 255
"""The longest name that Cinder, Nova and Glance take, in characters."""

_APPENDED: Final = len("~1764201600")
_IN_IMAGE: Final = len("restore_")


def name_faults(survey: Survey) -> Iterator[str]:
    """Say which names of a survey are too long to be restored."""
    for index, piece in enumerate(survey.pieces):
        own = _LIMIT - _APPENDED
        of_server = min(own, _LIMIT - _IN_IMAGE - len(piece_prefix(job_id(""), index)))
        match piece.mode:
            case Mode.NOVA:
                yield _fault("server", piece.id, piece.name, of_server)
            case Mode.CINDER:
                yield _fault("volume", piece.id, piece.name, own)
            case Mode.GLANCE:
                yield _fault("image", piece.id, piece.name, own)
            case Mode.TENANT:
                for server in survey.servers:
                    yield _fault("server", server.id, server.name, of_server)


def _fault(word: str, identifier: str, name: str, limit: int) -> str:
    if len(name) <= limit:
        return ""
    return (
        f"the name of {word} {identifier} has {len(name)} characters, and Freezer's agent could "
        f"not restore one with more than {limit}: rename it, or give the option "
        "'allow_unrestorable'"
    )
