"""Backends that make too much or too little of failures."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence

import attrs

from karbor_backup_core import (
    BackendError,
    Leftover,
    Operation,
    Progress,
    ProgressState,
    Result,
    Transient,
    Verb,
    hookimpl,
)
from karbor_backup_fake import FakeBackend, FakeCloud, _serialization
from karbor_backup_fake._model import Job, JobState, Task, Unavailable
from karbor_backup_fake._phases import build_task, phase_kinds
from tests.contract.mutants.registry import breaks


def result_of(operation: Operation) -> Result | None:
    """Return how an operation ended, if it has."""
    return operation.outcome.result if operation.outcome else None


def has_failed(cloud: FakeCloud, operation: Operation) -> bool:
    """Return whether work of an operation has failed."""
    return any(job.state is JobState.FAILED for job in cloud.jobs(operation.id))


def delete_jobs(cloud: FakeCloud, operation: Operation) -> None:
    """Lose the jobs of an operation without a request."""
    for job in cloud.jobs(operation.id):
        del cloud._jobs[job.id]


@breaks("C-601")
class FailsWithoutReason(FakeBackend):
    """Does not say why work failed."""

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        return attrs.evolve(super()._job_progress(operation, job), reason="")


@breaks(
    "C-601",
    also={
        "C-208",
        "C-214",
        "C-246",
        "C-247",
        "C-504",
        "C-602",
        "C-603",
        "C-606",
        "C-608",
        "C-609",
        "C-612",
    },
)
class RaisesOnFailedWork(FakeBackend):
    """Raises when work has failed."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        answers = super().poll(operations)
        for answer in answers.values():
            if answer.state is ProgressState.FAILED:
                raise BackendError(answer.reason)
        return answers


@breaks("C-602")
class KeepsFailedRestores(FakeBackend):
    """Leaves what a restore made that failed."""

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        if operation.verb is Verb.RESTORE and has_failed(self._cloud, operation):
            delete_jobs(self._cloud, operation)
            return Progress(ProgressState.SUCCEEDED)
        return super().release(operation)


@breaks("C-603", also={"C-602"})
class FailedRestoreDeletesBackup(FakeBackend):
    """Removes the backup when a restore of it fails."""

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        failed = has_failed(self._cloud, operation)
        if operation.verb is Verb.RESTORE and operation.backup is not None and failed:
            self._cloud.inventory.remove_tree(_serialization.read_copy_id(operation.backup.handle))
        return super().release(operation)


@breaks("C-604", also={"C-610"})
class BusyAsFinalError(FakeBackend):
    """Calls it final when the service is busy."""

    @contextlib.contextmanager
    def _connect(self) -> Iterator[FakeCloud]:
        try:
            with super()._connect() as cloud:
                yield cloud
        except Transient as error:
            if "busy" in str(error):
                raise BackendError(str(error)) from error
            raise


@breaks("C-604")
class RetriesInternally(FakeBackend):
    """Repeats a request by itself when the service is busy."""

    def _start_phase(self, operation: Operation) -> Progress:
        try:
            return super()._start_phase(operation)
        except Transient as error:
            if "busy" not in str(error):
                raise
            return super()._start_phase(operation)


@breaks("C-605", also={"C-611"})
class PermanentErrorAsTransient(FakeBackend):
    """Has a refusal for good repeated."""

    def _start_phase(self, operation: Operation) -> Progress:
        try:
            return super()._start_phase(operation)
        except Transient:
            raise
        except BackendError as error:
            if "refuses" not in str(error):
                raise
            raise Transient(str(error)) from error


@breaks("C-606")
class OmitsLeftovers(FakeBackend):
    """Does not name what it could not remove."""

    def _leftovers(self, *_: object) -> tuple[Leftover, ...]:
        return ()


@breaks("C-607")
class WaitsForLostWork(FakeBackend):
    """Says of work that was forgotten that it runs."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        answers = dict(super().poll(operations))
        for operation in operations:
            if answers[operation.id].state is ProgressState.UNKNOWN and operation.receipt:
                answers[operation.id] = Progress(ProgressState.RUNNING)
        return answers


@breaks("C-608")
class FailedDeleteHalvesBackup(FakeBackend):
    """Has removed half of the data when a delete fails."""

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        progress = super()._job_progress(operation, job)
        copies = self._cloud.inventory.copies
        if operation.verb is Verb.DELETE and progress.state is ProgressState.FAILED:
            copy = copies[job.task.copy]
            copies[copy.id] = attrs.evolve(copy, content=copy.content[:5])
        return progress


@breaks("C-608")
class FailedDeleteIsFinal(FakeBackend):
    """Deletes no backup whose delete has failed before."""

    _failed: set[str] = set()  # noqa: RUF012 - shared on purpose: a service would remember

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        progress = super()._job_progress(operation, job)
        if operation.backup is not None and operation.verb is Verb.DELETE:
            if operation.backup.id in self._failed:
                return Progress(ProgressState.FAILED, reason="it has failed before")
            if progress.state is ProgressState.FAILED:
                self._failed.add(operation.backup.id)
        return progress


@breaks("C-609", also={"C-407"})
class RestoresOverNamesakes(FakeBackend):
    """Fills everything of the same name when it restores."""

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        progress = super()._job_progress(operation, job)
        assets = self._cloud.inventory.assets
        if operation.verb is Verb.RESTORE and progress.resources:
            restored = assets[progress.resources[0].id]
            for asset in list(assets.values()):
                if asset.resource.name == operation.resource.name and not asset.operation:
                    assets[asset.resource.id] = attrs.evolve(asset, content=restored.content)
        return progress


@breaks("C-609")
class FailedProtectTruncatesResource(FakeBackend):
    """Leaves the resource itself half empty when a protect fails."""

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        progress = super()._job_progress(operation, job)
        asset = self._cloud.inventory.assets.get(operation.resource.id)
        failed = operation.verb is Verb.PROTECT and progress.state is ProgressState.FAILED
        if asset is not None and failed:
            half = attrs.evolve(asset, content=asset.content[:5])
            self._cloud.inventory.assets[asset.resource.id] = half
        return progress


@breaks("C-606")
class NamesLeftoversVaguely(FakeBackend):
    """Says that something is left, but not what."""

    def _leftovers(self, unwanted: Sequence[str], undo: Job | None) -> tuple[Leftover, ...]:
        named = super()._leftovers(unwanted, undo)
        return tuple(attrs.evolve(each, id="some data", note="look for it") for each in named)


@breaks("C-612")
class UndoesEarlierRestores(FakeBackend):
    """Removes all that was ever restored of a resource when a restore of it fails."""

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        progress = super().release(operation)
        released = progress.state is ProgressState.SUCCEEDED
        if released and operation.verb is Verb.RESTORE and not operation.work_succeeded:
            _remove_restored(self._cloud, operation)
        return progress


def _remove_restored(cloud: FakeCloud, operation: Operation) -> None:
    """Remove what other operations have restored of a resource of that name."""
    for asset in list(cloud.inventory.assets.values()):
        restored = asset.operation not in ("", operation.id)
        if restored and asset.resource.name == operation.resource.name:
            cloud.remove_resource(asset.resource.id)


@breaks("C-610")
class RestoresNoMembersWhenBusy(FakeBackend):
    """Restores the whole without its members when it is told that the service is busy."""

    def _build_task(self, cloud: FakeCloud, operation: Operation) -> Task:
        try:
            return super()._build_task(cloud, operation)
        except Unavailable:
            steps = phase_kinds(operation, self._phases)
            return build_task(operation, steps[operation.phase - 1], vault=self._vault)


FAILED_VERIFY = {"C-413", "C-605", "C-607", "C-611", "C-701", "C-702", "C-703", "C-706"}


@breaks("C-610", also=FAILED_VERIFY | {"C-410", "C-707", "C-804", "C-913"})
class FailedVerifyRemovesBackup(FakeBackend):
    """Removes the backup when a verify of it fails or is cancelled."""

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        progress = super().release(operation)
        released = progress.state is ProgressState.SUCCEEDED
        failed = operation.verb is Verb.VERIFY and not operation.work_succeeded
        if released and failed and operation.backup is not None:
            copy_id = _serialization.read_copy_id(operation.backup.handle)
            self._cloud.inventory.remove_tree(copy_id)
        return progress
