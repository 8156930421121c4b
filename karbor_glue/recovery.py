"""Puts right what a karbor-protection that died has left; Karbor itself never would.

A protect that was begun is gone on with to its end, since what it makes may be whole. What was
never begun is not begun here: its checkpoint ends as ``error`` and can be deleted. A delete is
carried out to its end.
"""

import concurrent.futures
import contextlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import attrs
from karbor.common import constants

from karbor_backup_core import KarborBackupError, Operation, Support, Verb, system_clock
from karbor_backup_core.owners import is_free
from karbor_glue import rooms
from karbor_glue.checkpoints import find_checkpoints
from karbor_glue.credentials import Credentials, TrustCredentials
from karbor_glue.families import ancestors, resources
from karbor_glue.leases import Leases, lease_name
from karbor_glue.operation_logs import end_logs, unfinished_logs
from karbor_glue.operations import known_to_backend
from karbor_glue.places import Kept, Place
from karbor_glue.plugin import BackupProtectionPlugin
from karbor_glue.records import end_abandoned_records, tell_record
from karbor_glue.rooms import Room
from karbor_glue.trusts import TrustNotes, delete_abandoned_trusts, delete_trust
from karbor_glue.work import Work, member_of

_LEFT: Final = (
    constants.CHECKPOINT_STATUS_PROTECTING,
    constants.CHECKPOINT_STATUS_DELETING,
    constants.CHECKPOINT_STATUS_DELETED,
    constants.CHECKPOINT_STATUS_ERROR_DELETING,
)
"""Statuses of a checkpoint that is not over.

One that is deleted should be on no list any more. From ``error-deleting`` Karbor's API takes
neither another delete nor a reset.
"""

_LEASE: Final = timedelta(days=1)
"""The longest lease of an owner whose name does not say how long its leases are."""


@attrs.frozen
class Recovered:
    """What became of one checkpoint, or of one of Karbor's records.

    Attributes:
        checkpoint: the checkpoint's id; empty where none can be told.
        before: its status as it was found.
        after: its status now.
        operations: the operations that were gone on with, as they are now.
        problems: what could not be put right, and what was left alone, with the reasons.
        record: the kind and id of a record in Karbor's database; empty for a checkpoint itself.
    """

    checkpoint: str
    before: str
    after: str
    operations: tuple[Operation, ...] = ()
    problems: tuple[str, ...] = ()
    record: str = ""


def recover(provider: Any) -> Iterator[Recovered]:
    """Put all checkpoints of one provider right, one after the other.

    Args:
        provider: Karbor's, as its ``ProviderRegistry`` loads it.

    Raises:
        StoreError: the bank cannot be used.
    """
    logs = unfinished_logs(provider.id)
    left: list[_Recovery] = []
    for found in find_checkpoints(provider, {str(log.checkpoint_id) for log in logs}):
        if found.problem:
            yield Recovered(found.id, "", "", problems=(found.problem,))
            continue
        try:
            recovery = _Recovery(provider, found.checkpoint)
        except Exception as error:  # noqa: BLE001 - whatever half a document makes Karbor raise
            yield Recovered(found.id, "", "", problems=(f"it cannot be read: {error!r}",))
            continue
        if recovery.is_left:
            left.append(recovery)
    for recovery in left:
        yield recovery.run()
    yield from _recover_records(provider)
    yield from _recover_trusts(provider.bank, left)
    end_logs(provider, logs)
    Leases(provider.bank).drop_dead()


def _recover_records(provider: Any) -> Iterator[Recovered]:
    """End the records of restores and verifications that nobody works on.

    A process that died before its first write to the bank has left nothing but such a record.
    """
    alive = list(Leases(provider.bank).alive())
    for each in end_abandoned_records(provider.id, alive):
        yield Recovered(
            each.checkpoint, each.before, each.after, problems=each.problems, record=each.name
        )


def _recover_trusts(bank: Any, left: Sequence["_Recovery"]) -> Iterator[Recovered]:
    """Delete the trusts that no operation needs any more."""
    needed = _trusts(left, "now")
    for trust in _trusts(left, "before") - needed:
        delete_trust(trust)
    if Leases(bank).alive():
        return
    try:
        problems = delete_abandoned_trusts(TrustNotes(bank), needed)
    except KarborBackupError as error:
        problems = [str(error)]
    if problems:
        yield Recovered("", "", "", problems=tuple(problems), record="trusts")


@attrs.frozen
class _Part:
    """A resource of a checkpoint that a plugin of ours protects."""

    resource: Any
    place: Place
    plugin: BackupProtectionPlugin
    kept: Sequence[Kept]

    def credentials(self, notes: Mapping[str, Any]) -> Credentials:
        """Those that an operation was begun with, or the provider's own."""
        trust = notes.get("trust")
        return TrustCredentials(trust, self.plugin.conf) if trust else self.plugin.credentials(None)


class _Recovery:
    """The recovery of one checkpoint.

    Args:
        provider: Karbor's provider.
        checkpoint: Karbor's checkpoint.
    """

    def __init__(self, provider: Any, checkpoint: Any) -> None:
        self._checkpoint = checkpoint
        self._bank = provider.bank
        self._graph = checkpoint.resource_graph or ()
        self._resources = resources(self._graph)
        plugins = provider.load_plugins()
        self._parts = {
            resource.id: self._part(resource, plugins[resource.type])
            for resource in self._resources.values()
            if isinstance(plugins.get(resource.type), BackupProtectionPlugin)
        }
        self._problems: list[str] = []

    @property
    def is_left(self) -> bool:
        """Whether something of it is not over."""
        kept = any(part.kept or part.place.fragments() for part in self._parts.values())
        return kept or self._checkpoint.status in _LEFT

    def run(self) -> Recovered:
        """Put it right, unless somebody is at it."""
        before = self._checkpoint.status
        alive = self._alive(system_clock())
        if alive:
            return Recovered(self._checkpoint.id, before, before, problems=(alive,))
        operations = self._finish()
        if before == constants.CHECKPOINT_STATUS_PROTECTING:
            self._complete()
        elif before in (
            constants.CHECKPOINT_STATUS_DELETING,
            constants.CHECKPOINT_STATUS_ERROR_DELETING,
        ):
            self._delete()
        elif before == constants.CHECKPOINT_STATUS_DELETED:
            self._checkpoint.delete()
        return Recovered(
            self._checkpoint.id,
            before,
            self._checkpoint.status,
            tuple(operations),
            tuple(self._problems),
        )

    def _part(self, resource: Any, plugin: BackupProtectionPlugin) -> _Part:
        place = Place.of(self._checkpoint, resource.id)
        return _Part(resource, place, plugin, place.operations())

    def trusts(self, when: str) -> set[str]:
        """The trusts that its operations need: those found ``before``, or those kept ``now``."""
        return {
            kept.notes["trust"]
            for part in self._parts.values()
            for kept in (part.kept if when == "before" else part.place.operations())
            if "trust" in kept.notes
        }

    def _alive(self, now: datetime) -> str:
        """Say who is at this checkpoint, or may be.

        Where no operation is kept, nobody can tell which process the checkpoint's hooks run in.
        """
        shown = Leases(self._bank).alive()
        found = [kept.operation for part in self._parts.values() for kept in part.kept]
        holding = {}
        for operation in found:
            until = shown.get(lease_name(operation.owner), operation.lease_until)
            if until and not is_free(attrs.evolve(operation, lease_until=until), now, _LEASE):
                holding[operation.owner] = until
        at_it = holding if found else shown
        who = ", ".join(f"{owner} until {until:%H:%M:%S} UTC" for owner, until in at_it.items())
        return f"left alone: a process shows that it lives: {who}" if who else ""

    def _finish(self) -> list[Operation]:
        """Go on with all operations, each to its end; those on one backup one after the other."""
        waiting: dict[str, list[tuple[_Part, Kept]]] = {}
        for part in self._parts.values():
            with self._noting(part):
                part.place.forget_fragments()
            for kept in part.kept:
                waiting.setdefault(kept.operation.backup_id, []).append((part, kept))
        rounds = itertools.zip_longest(*waiting.values())
        return [
            operation
            for together in rounds
            for operation in self._finish_together([each for each in together if each])
        ]

    def _finish_together(self, left: Sequence[tuple[_Part, Kept]]) -> Iterator[Operation]:
        with contextlib.ExitStack() as stack:
            begun = [(part, kept, self._enter(stack, part, kept)) for part, kept in left]
            for part, kept, room in begun:
                operation = self._wait(part, kept, room) if room is not None else None
                if operation is not None:
                    yield operation

    def _enter(self, stack: contextlib.ExitStack, part: _Part, kept: Kept) -> Room | None:
        with self._noting(part):
            room = stack.enter_context(
                rooms.room(part.plugin.settings(), part.credentials(kept.notes), self._bank)
            )
            room.store.adopt(part.place)
            room.runner.resume(kept.operation.id)
            return room
        return None

    def _wait(self, part: _Part, kept: Kept, room: Room) -> Operation | None:
        with self._noting(part):
            operation = room.runner.wait(kept.operation.id)
            if operation.finished and not operation.parked:
                room.store.forget(operation.id)
            else:
                self._problems.append(f"operation {operation.id} is not over: recover again later")
            tell_record(kept.notes, part.resource, operation)
            return operation
        return None

    def _complete(self) -> None:
        """Decide what a protect that nobody waits for has come to."""
        if self._checkpoint.resource_graph is None:
            self._checkpoint.resource_graph = []  # without a graph Karbor could not delete it
        for part in self._parts.values():
            with self._noting(part):
                whole = self._is_whole(part)
                part.place.set_status(
                    constants.RESOURCE_STATUS_AVAILABLE
                    if whole
                    else constants.RESOURCE_STATUS_ERROR
                )
        whole = all(each.status() == constants.RESOURCE_STATUS_AVAILABLE for each in self._all())
        self._set(
            constants.CHECKPOINT_STATUS_AVAILABLE
            if whole and self._resources
            else constants.CHECKPOINT_STATUS_ERROR
        )

    def _is_whole(self, part: _Part) -> bool:
        """Whether a resource has a backup now, of its own or in that of what it belongs to."""
        if part.place.metadata() is not None:
            return True
        known = known_to_backend(part.resource)
        ability = part.plugin.settings().described().ability(known.type, Verb.PROTECT)
        if ability.support is Support.COVERED:
            part.place.keep_covered(ability.covered_by)
            return True
        for each in ancestors(self._graph, part.resource.id):
            parent = self._parts[each].place.backup() if each in self._parts else None
            member = member_of(parent, known) if parent is not None else None
            if member is not None:
                part.place.keep_backup(member)
                return True
        return False

    def _delete(self) -> None:
        """Carry a delete out; what cannot be deleted leaves the checkpoint as ``error``.

        From that status Karbor lets a user delete it again; from ``error-deleting`` it does not.
        """
        works = self._delete_works()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(self._delete_part, works))
        left = [
            each.resource_id
            for each in self._all()
            if each.status() != constants.RESOURCE_STATUS_DELETED
        ]
        if not left:
            self._checkpoint.delete()
            return
        self._set(constants.CHECKPOINT_STATUS_ERROR)
        self._problems.append(
            f"not deleted: {', '.join(left)}; delete the checkpoint again through Karbor"
        )

    def _delete_works(self) -> list[Work]:
        works: dict[str, Work] = {}
        # What others belong to comes first, so that their work can be given it.
        for id_ in sorted(self._parts, key=lambda each: len(ancestors(self._graph, each))):
            part = self._parts[id_]
            notes = next((kept.notes for kept in part.kept), {})
            works[id_] = Work(
                verb=Verb.DELETE,
                resource=known_to_backend(part.resource),
                place=part.place,
                parameters={},
                read=part.plugin.settings,
                credentials=part.credentials(notes),
                parents=tuple(works[each] for each in ancestors(self._graph, id_) if each in works),
            )
        return list(works.values())

    def _delete_part(self, work: Work) -> None:
        with self._noting(self._parts[work.place.resource_id]):
            work.settle()
            work.place.set_status(constants.RESOURCE_STATUS_DELETED)

    @contextlib.contextmanager
    def _noting(self, part: _Part) -> Iterator[None]:
        """Note what cannot be done with one resource, and let the others go on."""
        try:
            yield
        except KarborBackupError as error:
            self._problems.append(f"{part.resource.type} {part.resource.id}: {error}")

    def _all(self) -> list[Place]:
        return [Place.of(self._checkpoint, each) for each in self._resources]

    def _set(self, status: str) -> None:
        self._checkpoint.status = status
        self._checkpoint.commit()


def _trusts(recoveries: Sequence[_Recovery], when: str) -> set[str]:
    return {trust for each in recoveries for trust in each.trusts(when)}
