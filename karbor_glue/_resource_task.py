"""One resource's part of what Karbor does with a checkpoint: done once, whoever needs it first.

A resource and what it belongs to may be in one checkpoint: a project and its servers. Karbor
gives each of them a hook of its own, and all run at the same time. So each asks first what becomes
of those that it belongs to; a backup in which it is a member already is its backup too.
"""

import functools
import threading
import weakref
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import attrs

from karbor_backup_core import (
    Ability,
    Backup,
    Conflict,
    KarborBackupError,
    Operation,
    OperationFuture,
    Resource,
    Support,
    Unsupported,
    Verb,
    WrongPlace,
    plan_delete,
    plan_protect,
    plan_restore,
    plan_verify,
)
from karbor_glue import _runners, _schemas
from karbor_glue._allowed_directories import PATH_OPTIONS, check_directory, is_path_resource
from karbor_glue._bank_section import ResourceSection
from karbor_glue._credentials import Credentials
from karbor_glue._exceptions import OperationIncomplete, incomplete_error
from karbor_glue._leases import process_lease
from karbor_glue._outcomes import describe_unverified, restored_ids
from karbor_glue._runners import RunnerContext
from karbor_glue._settings import Settings

_PLANNERS: Final[Mapping[Verb, Callable[..., Operation]]] = {
    Verb.PROTECT: plan_protect,
    Verb.RESTORE: plan_restore,
    Verb.DELETE: plan_delete,
    Verb.VERIFY: plan_verify,
}


@attrs.frozen
class TaskResult:
    """What became of a resource.

    Attributes:
        backup: its backup, as the whole that others may be members of; None where there is none.
        restored: what a restore made of it and of its members: new ids by old ones, as far as the
            backend tells.
        unverified: what could not be verified of it, in one line.
    """

    backup: Backup | None = None
    restored: Mapping[str, str] = attrs.field(factory=dict)
    unverified: str = ""


@attrs.define(eq=False)
class ResourceTask:
    """What is to be done with one resource.

    Attributes:
        verb: what to do.
        resource: the resource as the backend knows it.
        section: where the bank keeps what is known of it.
        parameters: as the user gave them.
        read_settings: reads the provider's settings, as soon as they are needed.
        credentials: with whose credentials.
        parents: the tasks of what it belongs to, the nearest first.
        descendant_types: the types of the resources that belong to it in the checkpoint.
        notes: what to keep beside the operation.
    """

    verb: Verb
    resource: Resource
    section: ResourceSection
    parameters: Mapping[str, Any]
    read_settings: Callable[[], Settings]
    credentials: Credentials
    parents: tuple["ResourceTask", ...] = ()
    descendant_types: Collection[str] = ()
    notes: Mapping[str, Any] = attrs.field(factory=dict)
    _operation_id: str = attrs.field(default="", init=False)
    _result: TaskResult | Exception | None = attrs.field(default=None, init=False)
    _lock: Any = attrs.field(factory=threading.Lock, init=False)

    def check(self) -> None:
        """Refuse at once what the backend does not do. The service is not asked.

        Raises:
            KarborBackupError: with the reason.
        """
        if self.verb is Verb.DELETE and self._has_nothing_to_delete():
            return
        ability = self._get_ability()
        process_lease.renew(self.section.bank, self.settings.policy.lease)
        if self.verb in (Verb.PROTECT, Verb.RESTORE):
            self._check_directories()
        if ability.support is Support.SUPPORTED:
            self.settings.load_without_credentials().check_options(
                self.resource.type, self.verb, self._build_options()
            )

    @functools.cached_property
    def settings(self) -> Settings:
        """The provider's settings.

        Raises:
            InvalidInput: they cannot be read.
        """
        return self.read_settings()

    def run_once(self) -> TaskResult:
        """Do it, or wait for whoever does it already.

        Raises:
            KarborBackupError: it was refused, or did not succeed.
        """
        with self._lock:
            if self._result is None:
                try:
                    self._result = self._execute()
                except Exception as error:  # noqa: BLE001 - all who wait are told the same
                    self._result = error
        if isinstance(self._result, Exception):
            raise self._result
        return self._result

    def result_for_member(self) -> TaskResult:
        """Return what became of a resource that others may belong to, once this task is done.

        Raises:
            OperationIncomplete: it was refused, or did not succeed.
        """
        try:
            return self.run_once()
        except KarborBackupError as error:
            raise OperationIncomplete(
                f"it belongs to {self.resource.type} {self.resource.id}, whose {self.verb} did "
                f"not succeed: {error}"
            ) from error

    def _execute(self) -> TaskResult:
        if self.verb is Verb.DELETE:
            return self._delete()
        ability = self._get_ability()
        if ability.support is Support.COVERED:
            if self.verb is Verb.PROTECT:
                self.section.write_covered(ability.covered_by)
            return TaskResult()
        return self._protect() if self.verb is Verb.PROTECT else self._restore_or_verify()

    def _has_nothing_to_delete(self) -> bool:
        """Return whether nothing has been stored, nor begun, that a delete would remove."""
        return self.section.read_metadata() is None and not self.section.read_operations()

    def _check_directories(self) -> None:
        allowed = self.settings.directories
        if is_path_resource(self.resource):
            check_directory(self.resource.id, allowed)
        options = self._build_options()
        for path in (options[name] for name in PATH_OPTIONS if name in options):
            check_directory(str(path), allowed)

    def _protect(self) -> TaskResult:
        for parent in self.parents:
            whole = parent.result_for_member()
            member = whole.backup and find_member(whole.backup, self.resource)
            if member:
                self.section.write_backup(member)
                return whole
        return self._run_operation(self.resource)

    def _restore_or_verify(self) -> TaskResult:
        """Restore or verify; a member goes with the whole, where that is done here too."""
        backup = self.section.read_backup()
        if backup is None:
            if self.section.read_metadata() is not None:
                return TaskResult()
            raise OperationIncomplete(
                f"checkpoint {self.section.checkpoint_id} holds no backup of it"
            )
        for parent in self.parents if backup.id != backup.whole_id else ():
            whole = parent.result_for_member()
            if whole.backup is not None and whole.backup.id == backup.whole_id:
                return whole
        return self._run_operation(backup)

    def _delete(self) -> TaskResult:
        """Remove the backup and whatever was left half done; nothing to remove is no error."""
        if self.section.read_operations():
            self._finish_interrupted()
        self.section.delete_partial_writes()
        backup = self.section.read_backup()
        if backup is not None and backup.id == backup.whole_id:
            return self._run_operation(backup)
        for parent in self.parents if backup is not None else ():
            parent.result_for_member()
        self.section.delete_backup()
        return TaskResult()

    def _finish_interrupted(self) -> None:
        """Go on with what was left, so that nothing of it is still under way.

        Raises:
            OperationIncomplete: something is.
            Conflict: another process is at it.
        """
        with _runners.shared_runner(self.settings, self.credentials, self.section.bank) as context:
            for stored in context.store.load_operations(self.section):
                future = self._resume(context, stored.operation.id)
                operation = self._finish_operation(context, future)
                if operation.suspended:
                    raise incomplete_error(operation)

    def _run_operation(self, target: Resource | Backup) -> TaskResult:
        """Have the runner do it; a second call goes on with what the first one began."""
        with _runners.shared_runner(self.settings, self.credentials, self.section.bank) as context:
            if self._operation_id:
                context.store.load_operations(self.section)
                future = self._resume(context, self._operation_id)
            else:
                future = self._submit(context, target)
                self._operation_id = future.id
            operation = self._finish_operation(context, future)
        outcome = operation.outcome
        if outcome is None or not operation.work_succeeded:
            raise incomplete_error(operation)
        return TaskResult(
            outcome.backup or operation.backup,
            restored_ids(operation, outcome),
            describe_unverified(outcome),
        )

    def _submit(self, context: RunnerContext, target: Resource | Backup) -> OperationFuture:
        """Write a new operation to its place in the bank, and start it."""
        plan = _PLANNERS[self.verb]
        deadline = self.settings.policy.deadline
        planned = plan(context.backend, target, self._build_options(), deadline=deadline)
        notes = {**self.notes, **context.credentials.notes()}
        context.store.register(planned.id, self.section, notes)
        return context.runner.submit(planned)

    def _resume(self, context: RunnerContext, operation_id: str) -> OperationFuture:
        """Go on with an operation that was left in the bank."""
        try:
            return context.runner.resume(operation_id)
        except (Conflict, WrongPlace):
            context.store.unload(operation_id)
            raise

    def _finish_operation(self, context: RunnerContext, future: OperationFuture) -> Operation:
        """Wait for the end of an operation; the bank keeps it if it is not released."""
        operation = future.result()
        if operation.suspended:
            # A later delete or recovery carries its release out.
            context.store.unload(operation.id, unfinished=True)
        else:
            context.store.delete_operation(operation.id)
        return operation

    def _get_ability(self) -> Ability:
        ability = self.settings.load_without_credentials().ability(self.resource.type, self.verb)
        if ability.support is Support.UNSUPPORTED:
            raise Unsupported(
                f"backend {self.settings.backend} cannot {self.verb} {self.resource.type}: "
                f"{ability.reason or 'it does not declare it'}"
            )
        return ability

    def _build_options(self) -> dict[str, Any]:
        if self.verb is Verb.DELETE:
            return {}
        name = f"{self.section.checkpoint_id}@{self.section.resource_id}"
        return _schemas.fill_defaults(
            self._get_ability().schema, self.parameters, name, self.descendant_types
        )


class FlowRegistry:
    """The tasks of the flows that are under way, so that a child finds those of its parents.

    A flow is known by the checkpoint object that all its hooks are given. A task is forgotten with
    the hooks' own object, which holds it.
    """

    def __init__(self) -> None:
        self._tasks: weakref.WeakValueDictionary[tuple[int, str], ResourceTask] = (
            weakref.WeakValueDictionary()
        )

    def register(self, checkpoint: Any, task: ResourceTask) -> None:
        """Let the children of this resource find its task."""
        self._tasks[id(checkpoint), task.section.resource_id] = task

    def find(self, checkpoint: Any, resource_id: str) -> ResourceTask | None:
        """Return the task of a resource of the same flow; None if it is another plugin's."""
        return self._tasks.get((id(checkpoint), resource_id))


def find_member(whole: Backup, resource: Resource) -> Backup | None:
    """Return the backup of a resource that is a member of another one's; None if it is not."""
    wanted = (resource.type, resource.id)
    return next((m for m in whole.members if (m.resource.type, m.resource.id) == wanted), None)
