"""Volumes of Cinder: found, and the states in which one can be backed up."""

from typing import TYPE_CHECKING, Final, cast

from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.services import CloudServices

if TYPE_CHECKING:
    from openstack.block_storage.v3.volume import Volume

GIB: Final = 2**30
"""Bytes of a GiB, in which Cinder counts."""

_READY_STATES: Final = ("available", "in-use")
_MIGRATING_STATES: Final = frozenset({"starting", "migrating", "completing"})


def find_volume(services: CloudServices, volume_id: str) -> "Volume":
    """Return a volume; ``NotFound`` and the other errors of ``errors.translate_errors``."""
    with translate_errors(f"Cinder for volume {volume_id}"):
        # openstacksdk also knows Cinder's API v2, which Xena (2021) has dropped.
        return cast("Volume", services.sdk.block_storage.get_volume(volume_id))


def volume_state_problem(volume: "Volume") -> str:
    """Describe why a volume cannot be backed up in its present state; empty if it can.

    The states are those in which Cinder makes a snapshot or a backup of it with ``force``.
    """
    what = f"volume {volume.id} ({volume.name})"
    if volume.status not in _READY_STATES:
        remedy = "repair it first" if "error" in str(volume.status) else "wait for its end"
        return (
            f"{what} is in state {volume.status}: it can be backed up in "
            f"{join_states(_READY_STATES)}; {remedy}"
        )
    if volume.migration_status in _MIGRATING_STATES:
        return f"{what} is migrating: wait for its end"
    return ""


def join_states(states: tuple[str, ...]) -> str:
    """Return the names of several states in words."""
    return f"{', '.join(states[:-1])} or {states[-1]}"
