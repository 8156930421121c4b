"""Backends whose ``poll`` does more than look, or looks badly."""

import itertools
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import attrs

from karbor_backup_core import (
    Operation,
    Progress,
    ProgressState,
    State,
    Transient,
    Verb,
    hookimpl,
)
from karbor_backup_fake import FakeBackend, _serialization
from karbor_backup_fake._model import Job
from tests.contract.mutants.registry import breaks

_numbers = itertools.count()


@breaks("C-501")
class ReadsOnePage(FakeBackend):
    """Answers for the first twenty operations only."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        return super().poll(operations[:20])


@breaks("C-502", also={"C-501", "C-504", "C-923"})
class SwapsPollResults(FakeBackend):
    """Gives each operation the answer of another one."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        answers = super().poll(operations)
        return dict(zip(answers, reversed(answers.values()), strict=True))


@breaks("C-503", also={"C-502", "C-504"})
class UnstablePollResults(FakeBackend):
    """Answers the same question differently."""

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        return attrs.evolve(
            super()._job_progress(operation, job), storage=f"shelf {next(_numbers)}"
        )


@breaks("C-503", also={"C-410"})
class DeletesReportedWork(FakeBackend):
    """Removes what has ended as soon as it has told of it."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        answers = super().poll(operations)
        told = {id_ for id_, each in answers.items() if each.state is ProgressState.SUCCEEDED}
        for job in self._cloud.jobs():
            if job.operation in told:
                self._cloud.delete_job(job)
        return answers


@breaks("C-504")
class BadReceiptFailsPoll(FakeBackend):
    """Lets one strange receipt spoil the whole poll."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        for operation in operations:
            _serialization.read_job_id(operation.receipt)
        return super().poll(operations)


@breaks("C-505", also={"C-408", "C-701", "C-703"})
class ReportsUnstartedAsFailed(FakeBackend):
    """Says of work that was never begun that it failed."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        answers = dict(super().poll(operations))
        for operation in operations:
            if answers[operation.id].state is ProgressState.UNKNOWN and operation.receipt is None:
                answers[operation.id] = Progress(ProgressState.FAILED, reason="not found")
        return answers


@breaks("C-506")
class ReleaseNeverEnds(FakeBackend):
    """Says of what was released that it still runs."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        answers = dict(super().poll(operations))
        for operation in operations:
            if operation.state is State.RELEASING and not self._cloud.jobs(operation.id):
                answers[operation.id] = Progress(ProgressState.RUNNING)
        return answers


@breaks("C-507")
class ProgressWithoutUnit(FakeBackend):
    """Tells how far it is, but not in what."""

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        return attrs.evolve(super()._job_progress(operation, job), unit="")


@breaks("C-507")
class ProgressDecreases(FakeBackend):
    """Tells what remains, not what is done."""

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        progress = super()._job_progress(operation, job)
        return attrs.evolve(progress, done=(progress.total or 0) - (progress.done or 0))


@breaks("C-507")
class ProgressExceedsTotal(FakeBackend):
    """Does more than there is to do."""

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        progress = super()._job_progress(operation, job)
        return attrs.evolve(progress, done=(progress.total or 0) + 1)


@breaks("C-508", also={"C-509"})
class PollBlocks(FakeBackend):
    """Waits in a poll until there is something to tell."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        clock: Any = self._cloud.clock
        for _ in range(10):
            answers = super().poll(operations)
            if any(each.state is not ProgressState.RUNNING for each in answers.values()):
                return answers
            clock.advance(1)
        raise Transient("timed out")


@breaks("C-509")
class GivesUpAfterDay(FakeBackend):
    """Takes for lost what runs longer than a day."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        answers = dict(super().poll(operations))
        for operation in operations:
            begun = operation.submitted_at or self._cloud.clock()
            if operation.outcome is None and self._cloud.clock() - begun > timedelta(days=1):
                answers[operation.id] = Progress(ProgressState.FAILED, reason="it takes too long")
        return answers


@breaks("C-507")
class ChangesUnit(FakeBackend):
    """Counts in another unit the further it gets."""

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        progress = super()._job_progress(operation, job)
        return attrs.evolve(progress, unit="percent") if progress.done else progress


@breaks("C-502")
class AnswersForOneVerb(FakeBackend):
    """Takes all backups that are asked about for ones that the same is done with."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        verb = next((each.verb for each in operations if each.backup is not None), Verb.VERIFY)
        return super().poll(
            [
                each if each.backup is None or each.outcome else attrs.evolve(each, verb=verb)
                for each in operations
            ]
        )
