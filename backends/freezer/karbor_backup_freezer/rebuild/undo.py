"""Removing what a restore has made: all of it after a failure, the rest of it after a success.

Servers go first, since their volumes cannot go while they are attached.
"""

import re
from typing import Any

from karbor_backup_core import Leftover, Operation, Result
from karbor_backup_freezer.cloud.things import Kind, Removal, image_name
from karbor_backup_freezer.pieces import Mode
from karbor_backup_freezer.rebuild.names import is_marked
from karbor_backup_freezer.rebuild.site import Site
from karbor_backup_freezer.resources import PROJECT
from karbor_backup_freezer.survey.notes import own_metadata


def staying(operation: Operation) -> frozenset[str]:
    """The ids of what a failed restore of a project leaves all the same: its whole members.

    They are told in the outcome's parts; what a cancelled restore made goes altogether.
    """
    outcome = operation.outcome
    failed = outcome is not None and outcome.result is Result.FAILED
    if outcome is None or not failed or operation.resource.type != PROJECT:
        return frozenset()
    return frozenset(
        part.restored.id
        for part in outcome.parts
        if part.result is Result.SUCCEEDED and part.restored is not None
    )


def remove_all_but(site: Site, stays: frozenset[str]) -> Removal:
    """Ask for the removal of everything that the operation made, but for some.

    Args:
        site: what the step has before it.
        stays: the ids of what is not removed.
    """
    own = {
        Kind.SERVER: site.own_servers(),
        Kind.VOLUME: site.own_volumes(),
        Kind.IMAGE: site.own_images(),
    }
    removals: list[Removal] = []
    for kind, things in own.items():
        removals.append(site.things.remove(kind, [t for t in things if t.id not in stays]))
        if kind is Kind.SERVER and removals[0].pending:
            break
    return Removal(
        tuple(left for removal in removals for left in removal.pending),
        tuple(left for removal in removals for left in removal.leftovers),
    )


def surplus(site: Site) -> tuple[Leftover, ...]:
    """Name marked servers and volumes that are none of a restore's results.

    They are not removed: what Cinder restores from a backup of a result bears its marks too.
    """
    outcome = site.operation.outcome
    results = {resource.id for resource in outcome.resources} if outcome else set()
    own = {Kind.SERVER: site.servers, Kind.VOLUME: site.volumes}
    note = "it bears the marks of this restore: a request that came late may have made it"
    return tuple(
        Leftover(kind, thing.id, f"{thing.name!r} in state {thing.status}; {note}")
        for kind, things in own.items()
        for thing in things
        if is_marked(thing.metadata, site.operation) and thing.id not in results | site.notes.made()
    )


def half_written(site: Site) -> tuple[Leftover, ...]:
    """Name the volume that a restore was told to write over: nothing brings it back."""
    note = "the restore may have written to it"
    return tuple(
        Leftover(Kind.VOLUME, new, note)
        for source, new in site.notes.volumes.items()
        if new == source
    )


def unproved(site: Site) -> tuple[Leftover, ...]:
    """Name the volumes that may be of this restore, and of which nothing proves it.

    Cinder notes what image a volume is made of only when it is made; one that failed before has
    nothing but the name that the agent gives it, as every other restore of the backup does.
    """
    note = "it may be of this restore: Cinder notes an image's name only of volumes that are whole"
    return tuple(
        Leftover(Kind.VOLUME, volume.id, f"{volume.name!r} in state {volume.status}; {note}")
        for volume in site.volumes
        if _may_be_of(site, volume)
    )


def _may_be_of(site: Site, volume: Any) -> bool:
    if image_name(volume) or volume.metadata != own_metadata(volume.metadata):
        return False
    if not site.is_younger(volume):
        return False
    pieces = [s.piece for s in site.contents.pieces if s.piece.mode is Mode.CINDER]
    names = {name for piece in pieces for name in (piece.name, piece.id)}
    return any(re.fullmatch(rf"{re.escape(name)}~\d+", volume.name or "") for name in names)
