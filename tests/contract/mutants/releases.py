"""Backends that release too little or too much."""

import attrs

from karbor_backup_core import BackendError, Operation, Progress, ProgressState, Verb, hookimpl
from karbor_backup_fake import FakeBackend
from karbor_backup_fake._model import JobState
from tests.contract.mutants.failures import delete_jobs
from tests.contract.mutants.registry import breaks
from tests.contract.mutants.verbs import copy_id_of


@breaks(
    "C-801",
    also={
        "C-215",
        "C-241",
        "C-410",
        "C-413",
        "C-610",
        "C-611",
        "C-702",
        "C-703",
        "C-705",
        "C-706",
        "C-707",
        "C-805",
        "C-923",
    },
)
class KeepsVerifyJobs(FakeBackend):
    """Leaves the jobs of verifies."""

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        if operation.verb is Verb.VERIFY:
            return Progress(ProgressState.SUCCEEDED)
        return super().release(operation)


@breaks("C-802", also={"C-241", "C-404", "C-608", "C-610", "C-702", "C-911"})
class KeepsMemberCopies(FakeBackend):
    """Deletes the copy of the whole, and leaves those of its members."""

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        copies, copy_id = self._cloud.inventory.copies, copy_id_of(operation)
        if copy_id in copies:
            copies[copy_id] = attrs.evolve(copies[copy_id], members=())
        return super().delete(operation)


@breaks("C-803", also={"C-404", "C-407", "C-410", "C-413"})
class SecondReleaseDeletesBackup(FakeBackend):
    """Removes the backup when it is released once more."""

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        if not self._cloud.jobs(operation.id):
            for each in self._cloud.inventory.ids_made_by(operation.id):
                self._cloud.inventory.remove_tree(each)
        return super().release(operation)


@breaks(
    "C-804",
    also={
        "C-206",
        "C-211",
        "C-245",
        "C-308",
        "C-404",
        "C-408",
        "C-410",
        "C-413",
        "C-605",
        "C-607",
        "C-611",
        "C-701",
        "C-703",
        "C-705",
        "C-707",
        "C-803",
        "C-913",
    },
)
class ReleaseWithoutWorkFails(FakeBackend):
    """Raises when there is nothing to release."""

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        if not self._cloud.jobs(operation.id):
            raise BackendError("there is no job")
        return super().release(operation)


@breaks("C-805", also={"C-604"})
class ReleasesRunningWork(FakeBackend):
    """Removes the jobs of work that runs."""

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        running = any(job.state is JobState.RUNNING for job in self._cloud.jobs(operation.id))
        if running and not operation.cancel_sent:
            delete_jobs(self._cloud, operation)
        return super().release(operation)
