"""The hooks: a model for authors of backends.

What makes a backend safe to crash at any point is in five places here: ``_step`` looks before it
creates, ``poll`` says unknown only after asking for that very operation, ``release`` never touches
what still runs, nothing about an operation is kept in ``self``, and each request carries
``operation.fence``, by which the cloud refuses the late call of a process that was paused.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import attrs

from karbor_backup_core import (
    CONTRACT_VERSION,
    BackendError,
    BackendInfo,
    Backup,
    Health,
    InvalidInput,
    Json,
    Leftover,
    Operation,
    Place,
    Progress,
    ProgressState,
    SharedResource,
    Support,
    Transient,
    Unsupported,
    Verb,
    __version__,
    hookimpl,
)
from karbor_backup_fake import _progress, _serialization
from karbor_backup_fake._abilities import ABILITIES, CONFIG_SCHEMA, MAINTENANCE, PRUNE
from karbor_backup_fake._cloud import FakeCloud
from karbor_backup_fake._model import (
    CloudError,
    Copy,
    Job,
    JobKind,
    NotFound,
    Task,
    Unavailable,
)
from karbor_backup_fake._phases import build_task, phase_kinds
from karbor_backup_fake._registry import named_cloud

if TYPE_CHECKING:
    from karbor_backup_contract import Harness

_UNDO_PHASE = 0
"""Operations count their phases from 1, so this number is free for the job that undoes them."""


class FakeBackend:
    """Protects what is in a fake cloud.

    Args:
        configuration: fits ``CONFIG_SCHEMA``; secrets in it come as ``Secret``.
        cloud: the cloud, instead of the one that the configuration names.
    """

    CONFIG_SCHEMA = CONFIG_SCHEMA

    def __init__(self, configuration: Json, *, cloud: FakeCloud | None = None) -> None:
        self._cloud = cloud or named_cloud(configuration.get("cloud", "cloud"))
        self._cloud.service_seconds = configuration.get(
            "service_seconds", self._cloud.service_seconds
        )
        self._cloud.work_limit = configuration.get("work_limit", self._cloud.work_limit)
        self._phases: Mapping[str, int] = configuration.get("phases", {})
        self._host = configuration.get("host", "")
        self._exclusive_prune = configuration.get("exclusive_prune", False)
        self._vault = configuration.get("vault", "")
        self._token = configuration.get("token")

    @classmethod
    def contract_harness(cls, configuration: Json) -> "AbstractContextManager[Harness]":
        """Offer the configured cloud to the command ``karbor-backup contract``."""
        from karbor_backup_fake.harness import create_live_harness

        return create_live_harness(cls, configuration)

    @hookimpl
    def describe(self) -> BackendInfo:
        """Return what this backend can do."""
        return BackendInfo(
            name="fake",
            version=__version__,
            contract=CONTRACT_VERSION,
            abilities=ABILITIES,
            maintenance=MAINTENANCE,
            work_limit=self._cloud.work_limit,
        )

    @hookimpl
    def scope(self) -> str:
        """Name the cloud, and its vault."""
        return self._scope_of(self._vault)

    @hookimpl
    def check(self) -> Health:
        """Look whether the cloud answers."""
        try:
            with self._connect() as cloud:
                return Health(ok=True, summary=cloud.check())
        except BackendError as error:
            return Health(ok=False, summary=str(error))

    @hookimpl
    def place(self) -> Place | None:
        """Return the host that the configuration names, as if only that saw the cloud."""
        return Place(f"{self._cloud.name} on {self._host}", self._host) if self._host else None

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        """Have a copy made."""
        return self._start_phase(operation)

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        """Have a copy restored: the members first, then what they belong to."""
        return self._start_phase(operation)

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        """Have a copy erased."""
        return self._start_phase(operation)

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        """Have a copy read."""
        return self._start_phase(operation)

    @hookimpl
    def maintain(self, operation: Operation) -> Progress:
        """Have all copies read, or what is known of those that are gone forgotten."""
        return self._start_phase(operation)

    @hookimpl
    def copy(self, operation: Operation) -> Progress:
        """Have a copy replicated that another vault of the cloud keeps."""
        return self._start_phase(operation)

    @hookimpl
    def dependents(self, backup: Backup) -> Sequence[str]:
        """Return the backups that hold the changes since this one."""
        try:
            copy_id = _serialization.read_copy_id(backup.handle)
        except (BackendError, InvalidInput):
            return ()
        with self._connect() as cloud:
            return tuple(copy.operation for copy in cloud.find_dependents(copy_id))

    @hookimpl
    def shared_resources(self, operation: Operation) -> Sequence[SharedResource]:
        """Return the vaults that are used, as if nobody else could use one that is pruned."""
        if not self._exclusive_prune:
            return ()
        used = {operation.scope}
        if operation.verb is Verb.COPY and operation.backup and self._reads(operation.backup):
            used.add(operation.backup.scope)
        alone = operation.action == PRUNE
        return [SharedResource(scope, exclusive=alone) for scope in sorted(used)]

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        """Look at all jobs in one request, and once more for each operation that has none."""
        with self._connect() as cloud:
            listed: dict[str, list[Job]] = {}
            for job in cloud.list_jobs():
                listed.setdefault(job.operation, []).append(job)
            return {
                each.id: self._poll_operation(cloud, each, listed.get(each.id, []))
                for each in operations
            }

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        """Ask every job of the operation that has not ended to stop."""
        with self._connect() as cloud:
            active = [
                job for job in cloud.find_jobs(operation.id, operation.fence) if job.state.active
            ]
            for job in active:
                with contextlib.suppress(NotFound):
                    cloud.cancel_job(job, operation.fence)
        return bool(active)

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        """Undo what is not to stay, then have the cloud forget the jobs."""
        with self._connect() as cloud:
            jobs = cloud.find_jobs(operation.id, operation.fence)
            if _progress.has_active(jobs):
                return _progress.release_progress(jobs)
            made = cloud.list_made(operation.id)
            unwanted = tuple(each for each in made if each not in _progress.ids_to_keep(operation))
            undo = next((job for job in jobs if job.phase == _UNDO_PHASE), None)
            if unwanted and undo is None:
                task = Task(kind=JobKind.UNDO, targets=unwanted)
                undo = cloud.create_job(operation.id, _UNDO_PHASE, task, operation.fence)
                return _progress.release_progress([undo])
            for job in jobs:
                with contextlib.suppress(NotFound):
                    cloud.delete_job(job, operation.fence)
        return Progress(ProgressState.SUCCEEDED, leftovers=self._leftovers(unwanted, undo))

    @contextlib.contextmanager
    def _connect(self) -> Iterator[FakeCloud]:
        """Give access to the cloud, and say in the contract's words what it refuses.

        The token is revealed here, at the moment of use, and kept nowhere.
        """
        try:
            self._cloud.authenticate("" if self._token is None else self._token.reveal())
            yield self._cloud
        except Unavailable as error:
            raise Transient(str(error), error.retry_after) from error
        except CloudError as error:
            raise BackendError(str(error)) from error

    def _start_phase(self, operation: Operation) -> Progress:
        """Begin the phase's job, unless an earlier attempt has begun it already."""
        kind, verb = operation.resource.type, operation.verb
        of_type = ABILITIES.get(kind, {}).get(verb)
        ability = MAINTENANCE.get(kind) if verb is Verb.MAINTAIN else of_type
        if ability is None:
            raise Unsupported(f"the fake backend does not {verb} {kind}")
        if ability.support is Support.COVERED:
            return Progress(ProgressState.SUCCEEDED, handle=_serialization.make_handle(""))
        with self._connect() as cloud:
            job = None
            if operation.attempt > 1:
                begun = cloud.find_jobs(operation.id, operation.fence)
                job = _progress.find_job(operation, begun, operation.phase)
            if job is None:
                self._check_ownership(cloud, operation)
                task = self._build_task(cloud, operation)
                job = cloud.create_job(operation.id, operation.phase, task, operation.fence)
        return attrs.evolve(
            self._job_progress(operation, job), receipt=_serialization.make_receipt(job.id)
        )

    def _build_task(self, cloud: FakeCloud, operation: Operation) -> Task:
        steps = phase_kinds(operation, self._phases)
        step = steps[operation.phase - 1]
        before = None
        if JobKind.RESTORE_MEMBERS in steps and step is JobKind.RESTORE:
            begun = cloud.find_jobs(operation.id)
            before = _progress.find_job(operation, begun, operation.phase - 1)
        return build_task(operation, step, before.id if before else "", vault=self._vault)

    def _check_ownership(self, cloud: FakeCloud, operation: Operation) -> None:
        """Refuse a backup whose handle names a copy that is not its own."""
        backup = operation.backup
        if backup is None:
            return
        copy = cloud.inventory.copies.get(_serialization.read_copy_id(backup.handle))
        if operation.verb is Verb.COPY:
            self._check_source(backup, copy)
        if copy is not None and (copy.operation, copy.resource.id) != (
            backup.whole_id,
            backup.resource.id,
        ):
            raise InvalidInput(
                f"backup {backup.id}: its handle names copy {copy.id}, which is another one's"
            )

    def _scope_of(self, vault: str) -> str:
        return f"fake:{self._cloud.name}{'/' if vault else ''}{vault}"

    def _reads(self, backup: Backup) -> bool:
        """Return whether a backup is in one of the cloud's vaults."""
        return backup.scope.partition("/")[0] == f"fake:{self._cloud.name}"

    def _check_source(self, backup: Backup, copy: Copy | None) -> None:
        """Refuse to copy a backup that is not in another vault of this cloud."""
        if backup.scope == self.scope():
            raise InvalidInput(f"backup {backup.id} is in {backup.scope} already")
        if not self._reads(backup) or (
            copy is not None and backup.scope != self._scope_of(copy.vault)
        ):
            raise InvalidInput(
                f"backup {backup.id} of {backup.scope} cannot be read by {self.scope()}: only "
                f"other vaults of {self._cloud.name} can be copied from"
            )

    def _poll_operation(
        self, cloud: FakeCloud, operation: Operation, listed: Sequence[Job]
    ) -> Progress:
        """Return how one operation stands; a fault of its own is its own failure."""
        if operation.outcome is not None:
            return _progress.release_progress(listed)
        try:
            job = _progress.find_job(operation, listed, operation.phase) or _progress.find_job(
                operation, cloud.find_jobs(operation.id), operation.phase
            )
        except Unavailable:
            raise
        except (CloudError, BackendError) as error:
            return Progress(ProgressState.FAILED, reason=str(error))
        if job is None:
            return Progress(ProgressState.UNKNOWN)
        return self._job_progress(operation, job)

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        last = operation.phase == len(phase_kinds(operation, self._phases))
        return _progress.job_progress(
            operation, job, last=last, storage=self._vault or self._cloud.name
        )

    def _leftovers(self, unwanted: Sequence[str], undo: Job | None) -> tuple[Leftover, ...]:
        why = undo.reason if undo else ""
        return tuple(
            Leftover(
                kind="copy or resource",
                id=each,
                note=f"it could not be undone ({why}): remove it from {self._cloud.name}",
            )
            for each in unwanted
        )
