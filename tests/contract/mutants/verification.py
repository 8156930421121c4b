"""Backends whose verify says something else than it should."""

import hashlib

import attrs

from karbor_backup_core import (
    Check,
    Operation,
    Progress,
    ProgressState,
    Resource,
    Verb,
    hookimpl,
)
from karbor_backup_fake import FakeBackend, FakeCloud
from karbor_backup_fake._abilities import ABILITIES, VOLUME
from karbor_backup_fake._model import Job, Task
from tests.contract.mutants.registry import breaks
from tests.contract.mutants.verbs import copy_id_of


@breaks("C-207")
class VerifiesWithoutChecks(FakeBackend):
    """Does not say what a verify saw."""

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        return attrs.evolve(super()._job_progress(operation, job), checks=())


@breaks("C-208", also={"C-214", "C-218", "C-305", "C-306"})
class VerifiesWithoutReading(FakeBackend):
    """Verifies without looking."""

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        if operation.resource.type not in ABILITIES:
            return super().verify(operation)
        check = Check("copy exists", verified=True)
        return Progress(ProgressState.SUCCEEDED, checks=(check,))


@breaks("C-214")
class VerifiesAgainstNothing(FakeBackend):
    """Compares a copy with a sum of what it finds."""

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        copies = self._cloud.inventory.copies
        for copy in self._cloud.inventory.copy_tree(copy_id_of(operation)):
            digest = hashlib.sha256(copy.content).hexdigest()
            copies[copy.id] = attrs.evolve(copy, digest=digest)
        return super().verify(operation)


@breaks(
    "C-215",
    also={
        "C-241",
        "C-410",
        "C-413",
        "C-607",
        "C-610",
        "C-611",
        "C-702",
        "C-703",
        "C-705",
        "C-706",
        "C-707",
    },
)
class VerifyLeavesResource(FakeBackend):
    """Restores for a verify, and leaves what it restored."""

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        progress = super().verify(operation)
        if operation.attempt == 1:
            self._cloud.add_resource(Resource(VOLUME, f"scratch-{operation.id}"), b"restored")
        return progress


@breaks("C-214")
class VerifiesNewestBackup(FakeBackend):
    """Reads the newest backup of a resource, whichever is to be verified."""

    def _build_task(self, cloud: FakeCloud, operation: Operation) -> Task:
        task = super()._build_task(cloud, operation)
        if operation.verb is not Verb.VERIFY:
            return task
        same = [copy for copy in cloud.copies() if copy.resource.id == operation.resource.id]
        return attrs.evolve(task, copy=same[-1].id) if same else task
