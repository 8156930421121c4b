"""Whether what was seen of a protect's data is what should be there."""

from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from karbor_backup_core import Check, Part, Resource, Result
from karbor_backup_freezer.inspection.contents import describe_missing
from karbor_backup_freezer.inspection.measurement import Measurement
from karbor_backup_freezer.model.items import (
    BackupItem,
    DiscoveryResult,
    Mode,
    StoredItem,
)
from karbor_backup_openstack.native_backups import NativeBackup, NativeBackupState
from karbor_backup_openstack.resource_types import SERVER, VOLUME
from karbor_backup_openstack.server_spec import ServerSpec

STORED_CHECK: Final = "stored data"
CONTENTS_CHECK: Final = "directory's contents"
NATIVE_CHECK: Final = "Cinder's backup"

_NATIVE_SIZE_REASON: Final = "Cinder does not tell how many bytes its backup takes"
_MODES_WITH_ALL_BYTES: Final = frozenset({Mode.CINDER, Mode.GLANCE})
"""Modes that store every byte that the cloud says is there; ``nova`` stores a snapshot."""


@attrs.frozen(kw_only=True)
class Assessment:
    """What can be said of a protect by what was seen of its data.

    Attributes:
        checks: what holds, and what nobody could look at.
        parts: how each member of a compound resource fared; empty for any other.
        reason: why the backup is not what it should be; empty where it is.
    """

    checks: tuple[Check, ...] = ()
    parts: tuple[Part, ...] = ()
    reason: str = ""


def assess(
    discovery: DiscoveryResult, items: Sequence[StoredItem], measurements: Sequence[Measurement]
) -> Assessment:
    """Judge a protect's items by what was seen of each, in the same order."""
    problems: dict[str, str] = {}
    checks: list[Check] = []
    alone = len(items) == 1
    for stored, seen in zip(items, measurements, strict=True):
        item = stored.item
        if problem := _item_problem(item, seen) or _shrinkage(stored, seen):
            problems[item.id] = problem
        of = "" if alone else f" of {_type_name(item.type)} {item.id}"
        checks.extend(_checks(of, seen, problem))
    parts = tuple(_parts(discovery, items, measurements, problems))
    return Assessment(
        checks=tuple(checks), parts=parts, reason=_join_problems(problems, len(items))
    )


def _checks(of: str, seen: Measurement, problem: str) -> Iterator[Check]:
    if seen.native is not None:
        yield Check(f"{NATIVE_CHECK}{of}", verified=not problem, reason=problem)
        yield Check(f"{STORED_CHECK}{of}", verified=False, reason=_NATIVE_SIZE_REASON)
        return
    reason = problem or seen.reason
    contents = seen.contents
    if contents is not None and not reason and contents.unread_reason:
        # Bytes alone say nothing of what they hold.
        reason = (
            f"{seen.stored} bytes are stored, and what they hold is not known: "
            f"{contents.unread_reason}"
        )
    yield Check(f"{STORED_CHECK}{of}", verified=not reason, reason=reason)
    if contents is not None and not reason:
        lack = describe_missing(contents)
        yield Check(f"{CONTENTS_CHECK}{of}", verified=not lack, reason=lack)


def _item_problem(item: BackupItem, seen: Measurement) -> str:
    """Why an item is not what it should be, empty where it is or nobody could look."""
    if seen.native is not None:
        return _native_problem(item, seen.native)
    if seen.reason:
        return ""
    if item.mode is Mode.TENANT:
        return _project_problem(seen)
    return _data_problem(seen, item.size if item.mode in _MODES_WITH_ALL_BYTES else None, item.mode)


def _shrinkage(stored: StoredItem, seen: Measurement) -> str:
    """Why an item is not what it was when it was made, empty where nothing is known of it."""
    if stored.stored is None or seen.stored is None or seen.stored >= stored.stored:
        return ""
    return f"{seen.stored} bytes are stored, and {stored.stored} were when it was made"


def _data_problem(seen: Measurement, size: int | None, mode: Mode) -> str:
    if not seen.stored:
        return "nothing is stored of it, although Freezer says that it was backed up"
    if not seen.complete:
        return "the agent's notes on it are missing, and it cannot be restored without them"
    if seen.contents is not None and seen.contents.problem:
        return seen.contents.problem
    if mode is not Mode.FS and seen.noted is None:
        return "the agent's notes on it do not say how long it is, which a restore needs"
    if seen.noted is not None and seen.stored != seen.noted:
        return f"{seen.stored} bytes are stored, and the agent noted {seen.noted}"
    if size is not None and seen.stored < size:
        return f"{seen.stored} bytes are stored of {size}"
    return ""


def _project_problem(seen: Measurement) -> str:
    if not seen.complete:
        return "the agent's list of its servers is missing, and it cannot be restored without it"
    bad = {
        id_: problem for id_, member in seen.members.items() if (problem := _member_problem(member))
    }
    return _join_problems(bad, len(seen.members))


def _member_problem(seen: Measurement) -> str:
    return _data_problem(seen, None, Mode.TENANT)


def _native_problem(item: BackupItem, native: NativeBackup) -> str:
    if native.state is not NativeBackupState.AVAILABLE:
        return native.reason or f"Cinder calls its backup {native.id} {native.status!r}"
    if item.size is not None and native.size < item.size:
        return f"Cinder's backup {native.id} is of {native.size} bytes, the volume of {item.size}"
    return ""


def _join_problems(problems: dict[str, str], count: int) -> str:
    if not problems:
        return ""
    if count == 1:
        return next(iter(problems.values()))
    described = "; ".join(f"{id_}: {problem}" for id_, problem in problems.items())
    return f"{len(problems)} of {count} are not stored as they should be: {described}"


def _parts(
    discovery: DiscoveryResult,
    items: Sequence[StoredItem],
    measurements: Sequence[Measurement],
    problems: dict[str, str],
) -> Iterator[Part]:
    """Yield the members: servers that boot from volumes, then what the items hold."""
    whole = discovery.resource
    if [(stored.item.type, stored.item.id) for stored in items] == [(whole.type, whole.id)]:
        for id_, member in measurements[0].members.items():
            yield _to_part(
                Resource(SERVER, id_, _server_name(discovery, id_)), _member_problem(member)
            )
        return
    covered = {stored.item.id for stored in items}
    for server in discovery.servers:
        if server.id not in covered:
            yield _to_part(
                Resource(SERVER, server.id, server.name), _server_problem(server, problems)
            )
    for stored in items:
        yield _to_part(stored.item.resource, problems.get(stored.item.id, ""))


def _server_problem(server: ServerSpec, problems: dict[str, str]) -> str:
    return next(
        (
            f"its volume {attachment.volume}: {problems[attachment.volume]}"
            for attachment in server.attachments
            if attachment.volume in problems
        ),
        "",
    )


def _to_part(resource: Resource, problem: str) -> Part:
    return Part(resource, Result.FAILED if problem else Result.SUCCEEDED, problem)


def _server_name(discovery: DiscoveryResult, server: str) -> str:
    return next((notes.name for notes in discovery.servers if notes.id == server), "")


def _type_name(resource_type: str) -> str:
    return "volume" if resource_type == VOLUME else resource_type.rpartition("::")[2].lower()
