"""Names that are too long for what the agent makes of them at a restore (freezer 19.0.0).

It appends a tilde and the backup's time to the name of a volume, a server and an image
(``openstack/restore.py``, ``engine/nova/nova.py``, ``engine/glance/glance.py``), and makes an image
that is named after the action's prefix and the server. What is longer than Cinder, Nova and Glance
take ends the job, when nothing can be done about it any more.
"""

from collections.abc import Iterator
from typing import Final

from karbor_backup_freezer.model.ids import item_prefix, job_id
from karbor_backup_freezer.model.items import DiscoveryResult, Mode

_NAME_LIMIT: Final = 255
"""The longest name that Cinder, Nova and Glance take, in characters."""

_SUFFIX_LENGTH: Final = len("~1764201600")
_PREFIX_LENGTH: Final = len("restore_")


def name_problems(discovery: DiscoveryResult) -> Iterator[str]:
    """Return which names of a discovery are too long to be restored."""
    for index, item in enumerate(discovery.items):
        own = _NAME_LIMIT - _SUFFIX_LENGTH
        of_server = min(own, _NAME_LIMIT - _PREFIX_LENGTH - len(item_prefix(job_id(""), index)))
        match item.mode:
            case Mode.NOVA:
                yield _name_problem("server", item.id, item.name, of_server)
            case Mode.CINDER:
                yield _name_problem("volume", item.id, item.name, own)
            case Mode.GLANCE:
                yield _name_problem("image", item.id, item.name, own)
            case Mode.TENANT:
                for server in discovery.servers:
                    yield _name_problem("server", server.id, server.name, of_server)


def _name_problem(word: str, identifier: str, name: str, limit: int) -> str:
    if len(name) <= limit:
        return ""
    return (
        f"the name of {word} {identifier} has {len(name)} characters, and Freezer's agent could "
        f"not restore one with more than {limit}: rename it, or give the option "
        "'allow_unrestorable'"
    )
