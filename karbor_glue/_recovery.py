"""Puts right what a karbor-protection that died has left; Karbor itself never would.

A protect that was begun is gone on with to its end, since what it makes may be whole. What was
never begun is not begun here: its checkpoint ends as ``error`` and can be deleted. A delete is
carried out to its end.
"""

import concurrent.futures
import contextlib
import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import attrs
from karbor.common import constants

from karbor_backup_core import (
    KarborBackupError,
    Operation,
    Support,
    UnknownOperation,
    Verb,
    system_clock,
)
from karbor_backup_core.owners import holds_lease
from karbor_backup_core.stores.common import with_renewed_lease
from karbor_glue import _runners
from karbor_glue._bank_section import ResourceSection, StoredOperation
from karbor_glue._checkpoints import find_checkpoints
from karbor_glue._credentials import Credentials
from karbor_glue._exceptions import incomplete_error
from karbor_glue._karbor_records import end_abandoned_records, update_record
from karbor_glue._leases import Leases, describe_alive, lease_object_name
from karbor_glue._operation_logs import end_logs, unfinished_logs
from karbor_glue._operations import to_backend_resource
from karbor_glue._option_hints import add_option_hints
from karbor_glue._resource_graph import ancestors, resources_by_id
from karbor_glue._resource_task import ResourceTask, find_member
from karbor_glue._runners import RunnerContext
from karbor_glue._trusts import TrustRegistry, delete_abandoned_trusts, delete_trust
from karbor_glue.plugin import BackupProtectionPlugin

_UNFINISHED_STATUSES: Final = (
    constants.CHECKPOINT_STATUS_PROTECTING,
    constants.CHECKPOINT_STATUS_DELETING,
    constants.CHECKPOINT_STATUS_DELETED,
    constants.CHECKPOINT_STATUS_ERROR_DELETING,
)
"""Statuses of a checkpoint that is not over.

One that is deleted should be on no list any more. From ``error-deleting`` Karbor's API takes
neither another delete nor a reset.
"""

_DEFAULT_LEASE: Final = timedelta(days=1)
"""The longest lease of an owner whose name does not say how long its leases are."""


@attrs.frozen
class RecoveryResult:
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

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why operations did not succeed, in a line each, as a flow would have told it."""
        return tuple(
            f"{operation.resource.type} {operation.resource.id}: "
            + add_option_hints(
                operation.verb, operation.resource.type, str(incomplete_error(operation))
            )
            for operation in self.operations
            if not operation.work_succeeded
        )


def recover(provider: Any) -> Iterator[RecoveryResult]:
    """Put all checkpoints of one provider right, one after the other.

    Args:
        provider: Karbor's, as its ``ProviderRegistry`` loads it.

    Raises:
        StoreError: the bank cannot be used.
    """
    logs = unfinished_logs(provider.id)
    left: list[_CheckpointRecovery] = []
    for found in find_checkpoints(provider, {str(log.checkpoint_id) for log in logs}):
        if found.problem:
            yield RecoveryResult(found.id, "", "", problems=(found.problem,))
            continue
        try:
            recovery = _CheckpointRecovery(provider, found.checkpoint)
        except Exception as error:  # noqa: BLE001 - whatever half a document makes Karbor raise
            yield RecoveryResult(found.id, "", "", problems=(f"it cannot be read: {error!r}",))
            continue
        if recovery.is_unfinished:
            left.append(recovery)
    reasons = {}
    for recovery in left:
        result = recovery.run()
        reasons[result.checkpoint] = result.reasons
        yield result
    yield from _recover_records(provider)
    yield from _recover_trusts(provider.bank, left)
    end_logs(provider, logs, reasons)
    Leases(provider.bank).delete_dead()


def _recover_records(provider: Any) -> Iterator[RecoveryResult]:
    """End the records of restores and verifications that nobody works on.

    A process that died before its first write to the bank has left nothing but such a record.
    """
    for each in end_abandoned_records(provider.id, Leases(provider.bank).live_leases()):
        yield RecoveryResult(
            each.checkpoint, each.before, each.after, problems=each.problems, record=each.name
        )


def _recover_trusts(bank: Any, left: Sequence["_CheckpointRecovery"]) -> Iterator[RecoveryResult]:
    """Delete the trusts that no operation needs any more."""
    needed = _collect_trust_ids(left, "now")
    for trust in _collect_trust_ids(left, "before") - needed:
        delete_trust(trust)
    if Leases(bank).live_leases():
        return
    try:
        problems = delete_abandoned_trusts(TrustRegistry(bank), needed)
    except KarborBackupError as error:
        problems = [str(error)]
    if problems:
        yield RecoveryResult("", "", "", problems=tuple(problems), record="trusts")


@attrs.frozen
class _ProtectedResource:
    """A resource of a checkpoint that a plugin of ours protects."""

    resource: Any
    section: ResourceSection
    plugin: BackupProtectionPlugin
    stored: Sequence[StoredOperation]

    def credentials(self, notes: Mapping[str, Any]) -> Credentials:
        """Those that an operation was begun with, or the provider's own."""
        trust = notes.get("trust")
        return self.plugin.lent_credentials(trust) if trust else self.plugin.credentials(None)


class _CheckpointRecovery:
    """The recovery of one checkpoint.

    Args:
        provider: Karbor's provider.
        checkpoint: Karbor's checkpoint.
    """

    def __init__(self, provider: Any, checkpoint: Any) -> None:
        self._checkpoint = checkpoint
        self._bank = provider.bank
        self._graph = checkpoint.resource_graph or ()
        self._resources = resources_by_id(self._graph)
        plugins = provider.load_plugins()
        self._protected = {
            resource.id: self._load_resource(resource, plugins[resource.type])
            for resource in self._resources.values()
            if isinstance(plugins.get(resource.type), BackupProtectionPlugin)
        }
        self._problems: list[str] = []

    @functools.cached_property
    def _resources_by_backend_id(self) -> dict[str, Any]:
        resources = [part.resource for part in self._protected.values()]
        return {to_backend_resource(each).id: each for each in resources}

    @property
    def is_unfinished(self) -> bool:
        """Whether something of it is not over."""
        stored = any(
            part.stored or part.section.list_partial_writes() for part in self._protected.values()
        )
        return stored or self._checkpoint.status in _UNFINISHED_STATUSES

    def run(self) -> RecoveryResult:
        """Put it right, unless somebody is at it."""
        before = self._checkpoint.status
        alive = self._describe_live_owners(system_clock())
        if alive:
            return RecoveryResult(self._checkpoint.id, before, before, problems=(alive,))
        operations = self._finish_operations()
        if before == constants.CHECKPOINT_STATUS_PROTECTING:
            self._complete_protect()
        elif before in (
            constants.CHECKPOINT_STATUS_DELETING,
            constants.CHECKPOINT_STATUS_ERROR_DELETING,
        ):
            self._complete_delete()
        elif before == constants.CHECKPOINT_STATUS_DELETED:
            self._checkpoint.delete()
        return RecoveryResult(
            self._checkpoint.id,
            before,
            self._checkpoint.status,
            tuple(operations),
            tuple(self._problems),
        )

    def _load_resource(self, resource: Any, plugin: BackupProtectionPlugin) -> _ProtectedResource:
        section = ResourceSection.from_checkpoint(self._checkpoint, resource.id)
        return _ProtectedResource(resource, section, plugin, section.read_operations())

    def trust_ids(self, when: str) -> set[str]:
        """Return the trusts that its operations need: found ``before``, or kept ``now``."""
        return {
            stored.notes["trust"]
            for part in self._protected.values()
            for stored in (part.stored if when == "before" else part.section.read_operations())
            if "trust" in stored.notes
        }

    def _describe_live_owners(self, now: datetime) -> str:
        """Describe which processes work on this checkpoint, or may do so.

        Where no operation is kept, nobody can tell which process the checkpoint's hooks run in.
        """
        shown = Leases(self._bank).live_leases()
        found = [stored.operation for part in self._protected.values() for stored in part.stored]
        holding = {}
        for operation in found:
            until = shown.get(lease_object_name(operation.owner))
            lease = with_renewed_lease(operation, until).lease
            if lease is not None and holds_lease(lease, now, _DEFAULT_LEASE):
                holding[lease.owner] = lease.until
        at_it = holding if found else shown
        return describe_alive(at_it) if at_it else ""

    def _finish_operations(self) -> list[Operation]:
        """Go on with all operations, each to its end; those on one backup one after the other."""
        waiting: dict[str, list[tuple[_ProtectedResource, StoredOperation]]] = {}
        for part in self._protected.values():
            with self._collect_problems(part):
                part.section.delete_partial_writes()
            for stored in part.stored:
                waiting.setdefault(stored.operation.backup_id, []).append((part, stored))
        rounds = itertools.zip_longest(*waiting.values())
        return [
            operation
            for together in rounds
            for operation in self._finish_batch([each for each in together if each])
        ]

    def _finish_batch(
        self, left: Sequence[tuple[_ProtectedResource, StoredOperation]]
    ) -> Iterator[Operation]:
        with contextlib.ExitStack() as stack:
            begun = [(part, stored, self._resume(stack, part, stored)) for part, stored in left]
            for part, stored, context in begun:
                operation = self._wait_for(part, stored, context) if context is not None else None
                if operation is not None:
                    yield operation

    def _resume(
        self, stack: contextlib.ExitStack, part: _ProtectedResource, stored: StoredOperation
    ) -> RunnerContext | None:
        with self._collect_problems(part):
            context = stack.enter_context(
                _runners.shared_runner(
                    part.plugin.settings(), part.credentials(stored.notes), self._bank
                )
            )
            context.store.load_operations(part.section)
            # One that is not in the bank any more was ended by its own process since it was read.
            with contextlib.suppress(UnknownOperation):
                context.runner.resume(stored.operation.id)
                return context
        return None

    def _wait_for(
        self, part: _ProtectedResource, stored: StoredOperation, context: RunnerContext
    ) -> Operation | None:
        with self._collect_problems(part):
            operation = context.runner.wait(stored.operation.id)
            # A suspended one stays in the bank: only there the next recovery finds it.
            if operation.finished and not operation.suspended:
                context.store.delete_operation(operation.id)
            else:
                self._problems.append(f"operation {operation.id} is not over: recover again later")
            update_record(stored.notes, self._resources_by_backend_id, operation)
            return operation
        return None

    def _complete_protect(self) -> None:
        """Decide what a protect that nobody waits for has come to."""
        if self._checkpoint.resource_graph is None:
            self._checkpoint.resource_graph = []  # without a graph Karbor could not delete it
        for part in self._protected.values():
            with self._collect_problems(part):
                whole = self._has_backup(part)
                part.section.write_status(
                    constants.RESOURCE_STATUS_AVAILABLE
                    if whole
                    else constants.RESOURCE_STATUS_ERROR
                )
        whole = all(
            each.read_status() == constants.RESOURCE_STATUS_AVAILABLE
            for each in self._all_sections()
        )
        self._set_status(
            constants.CHECKPOINT_STATUS_AVAILABLE
            if whole and self._resources
            else constants.CHECKPOINT_STATUS_ERROR
        )

    def _has_backup(self, part: _ProtectedResource) -> bool:
        """Whether a resource has a backup now, of its own or in that of what it belongs to."""
        if part.section.read_metadata() is not None:
            return True
        known = to_backend_resource(part.resource)
        ability = (
            part.plugin.settings().load_without_credentials().ability(known.type, Verb.PROTECT)
        )
        if ability.support is Support.COVERED:
            part.section.write_covered(ability.covered_by)
            return True
        for each in ancestors(self._graph, part.resource.id):
            parent = (
                self._protected[each].section.read_backup() if each in self._protected else None
            )
            member = find_member(parent, known) if parent is not None else None
            if member is not None:
                part.section.write_backup(member)
                return True
        return False

    def _complete_delete(self) -> None:
        """Carry a delete out; what cannot be deleted leaves the checkpoint as ``error``.

        From that status Karbor lets a user delete it again; from ``error-deleting`` it does not.
        """
        tasks = self._create_delete_tasks()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(self._delete_resource, tasks))
        left = [
            each.resource_id
            for each in self._all_sections()
            if each.read_status() != constants.RESOURCE_STATUS_DELETED
        ]
        if not left:
            self._checkpoint.delete()
            return
        self._set_status(constants.CHECKPOINT_STATUS_ERROR)
        self._problems.append(
            f"not deleted: {', '.join(left)}; delete the checkpoint again through Karbor"
        )

    def _create_delete_tasks(self) -> list[ResourceTask]:
        tasks: dict[str, ResourceTask] = {}
        # Parents come first: the tasks of their children are given theirs.
        for id_ in sorted(self._protected, key=lambda each: len(ancestors(self._graph, each))):
            part = self._protected[id_]
            notes = next((stored.notes for stored in part.stored), {})
            tasks[id_] = ResourceTask(
                verb=Verb.DELETE,
                resource=to_backend_resource(part.resource),
                section=part.section,
                parameters={},
                read_settings=part.plugin.settings,
                credentials=part.credentials(notes),
                parents=tuple(tasks[each] for each in ancestors(self._graph, id_) if each in tasks),
            )
        return list(tasks.values())

    def _delete_resource(self, task: ResourceTask) -> None:
        with self._collect_problems(self._protected[task.section.resource_id]):
            task.run_once()
            task.section.write_status(constants.RESOURCE_STATUS_DELETED)

    @contextlib.contextmanager
    def _collect_problems(self, part: _ProtectedResource) -> Iterator[None]:
        """Note what cannot be done with one resource, and let the others go on."""
        try:
            yield
        except KarborBackupError as error:
            self._problems.append(f"{part.resource.type} {part.resource.id}: {error}")

    def _all_sections(self) -> list[ResourceSection]:
        return [ResourceSection.from_checkpoint(self._checkpoint, each) for each in self._resources]

    def _set_status(self, status: str) -> None:
        self._checkpoint.status = status
        self._checkpoint.commit()


def _collect_trust_ids(recoveries: Sequence[_CheckpointRecovery], when: str) -> set[str]:
    return {trust for each in recoveries for trust in each.trust_ids(when)}
