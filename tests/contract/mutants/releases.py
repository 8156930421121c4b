"""Backends that release too little or too much."""

import attrs

from karbor_backup_core import BackendError, Operation, Progress, ProgressState, Verb, hookimpl
from karbor_backup_fake import FakeBackend
from karbor_backup_fake.records import JobState
from tests.contract.mutants.failures import forget
from tests.contract.mutants.registry import breaks
from tests.contract.mutants.verbs import copy_of


@breaks("C-801")
class KeepsVerifyJobs(FakeBackend):
    """Leaves the jobs of verifies."""

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        if operation.verb is Verb.VERIFY:
            return Progress(ProgressState.SUCCEEDED)
        return super().release(operation)


@breaks("C-802", also={"C-404", "C-911"})
class ForgetsMembers(FakeBackend):
    """Deletes the copy of the whole, and leaves those of its members."""

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        copies, copy_id = self._cloud.inventory.copies, copy_of(operation)
        if copy_id in copies:
            copies[copy_id] = attrs.evolve(copies[copy_id], members=())
        return super().delete(operation)


@breaks("C-803", also={"C-404", "C-407"})
class ReleasesTheBackup(FakeBackend):
    """Removes the backup when it is released once more."""

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        if not self._cloud.jobs(operation.id):
            for each in self._cloud.inventory.made_by(operation.id):
                self._cloud.inventory.remove(each)
        return super().release(operation)


@breaks(
    "C-804",
    also={"C-408", "C-206", "C-211", "C-404", "C-605", "C-607", "C-701", "C-703", "C-803", "C-913"},
)
class ReleasesOnce(FakeBackend):
    """Raises when there is nothing to release."""

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        if not self._cloud.jobs(operation.id):
            raise BackendError("there is no job")
        return super().release(operation)


@breaks("C-805", also={"C-604"})
class ReleasesWhatRuns(FakeBackend):
    """Removes the jobs of work that runs."""

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        running = any(job.state is JobState.RUNNING for job in self._cloud.jobs(operation.id))
        if running and not operation.cancel_sent:
            forget(self._cloud, operation)
        return super().release(operation)
