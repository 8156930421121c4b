"""Protect: survey, job, Cinder's own backups, and a look at what is stored."""

import json
from typing import Any, Final

import attrs

from karbor_backup_core import (
    RECEIPT_LIMIT,
    InvalidInput,
    Operation,
    Progress,
    ProgressState,
)
from karbor_backup_freezer import actions, placement
from karbor_backup_freezer.agent_text import check_backup_name, check_folder_name
from karbor_backup_freezer.agents import agent_limit
from karbor_backup_freezer.directories import hosts
from karbor_backup_freezer.directories.missing import explain
from karbor_backup_freezer.directories.rights import rights_checks
from karbor_backup_freezer.handles import Handle
from karbor_backup_freezer.identifiers import job_id
from karbor_backup_freezer.jobs import Stage
from karbor_backup_freezer.pieces import Mode, Piece, StoredPiece, Survey
from karbor_backup_freezer.receipts import Receipt, Step
from karbor_backup_freezer.records import all_records_of
from karbor_backup_freezer.resources import DIRECTORY
from karbor_backup_freezer.restorable import NEWEST, verdict_of
from karbor_backup_freezer.schedulers import Scheduler
from karbor_backup_freezer.steps import handover, jobs, results
from karbor_backup_freezer.steps.work import Work, alone, covered
from karbor_backup_freezer.storages import Storage
from karbor_backup_freezer.stored.judgement import judge
from karbor_backup_freezer.stored.layout import Place
from karbor_backup_freezer.stored.measure import Measured
from karbor_backup_freezer.stored.readings import StillReading

_ROOM: Final = RECEIPT_LIMIT - 8 * 1024
"""Bytes that a survey may take of a receipt or handle; the rest is for what comes to it."""

_PER_PIECE: Final = 160
"""Bytes that a handle or receipt holds of each piece beside what the survey says."""


class Protect:
    """The steps of a protect. Each raises ``Transient`` or ``BackendError`` as Freezer answers.

    Args:
        work: what the steps need.
    """

    def __init__(self, work: Work) -> None:
        self._work = work

    def step(self, operation: Operation) -> Progress:
        """Take the step that is next.

        Raises:
            InvalidInput: it cannot be done as asked.
            Transient: a repeat may help.
            BackendError: a repeat would not.
        """
        receipt = Receipt.of(operation)
        match receipt.step:
            case Step.NONE if operation.resource.type == DIRECTORY:
                return self._begin_directory(operation, receipt)
            case Step.NONE:
                return self._survey(operation)
            case Step.SURVEY:
                return self._begin(operation, receipt, receipt.surveyed())
            case Step.JOB:
                return self._after_job(operation, receipt)
            case _:
                return self._look(operation, receipt)

    def _survey(self, operation: Operation) -> Progress:
        """Find out what there is to protect, and refuse what could not be done later."""
        storage = self._work.storage_of(operation, Receipt())
        survey = self._work.surveyor.survey(operation.resource, operation.options)
        _check_size(survey)
        if not survey.pieces:
            return results.nothing(survey, storage, self._place(operation, storage))
        scheduler = self._scheduler(operation, survey, storage)
        receipt = Receipt(
            step=Step.SURVEY,
            client=scheduler.client_id,
            hostname=scheduler.hostname,
            storage=storage.name,
            survey=survey.document(),
        )
        return receipt.ready()

    def _begin_directory(self, operation: Operation, receipt: Receipt) -> Progress:
        """Look at the directory where it can be seen, and begin the job."""
        whole = alone(operation.resource)
        if jobs.begun(self._work, operation) is not None:
            return self._begin(operation, receipt, whole)
        storage = self._work.storage_of(operation, receipt)
        scheduler = self._scheduler(operation, whole, storage)
        container = self._place(operation, storage).container
        survey = self._work.protect_guard.survey(
            operation.resource, storage, container, scheduler.hostname
        )
        rights = rights_checks(scheduler.client_id, scheduler.hostname)
        survey = attrs.evolve(survey, checks=(*survey.checks, *rights))
        noted = attrs.evolve(
            receipt,
            client=scheduler.client_id,
            hostname=scheduler.hostname,
            survey=survey.document(),
        )
        return self._begin(operation, noted, survey)

    def _begin(self, operation: Operation, receipt: Receipt, survey: Survey) -> Progress:
        """Begin the job, on the scheduler that the survey has found or on one that fits now."""
        storage = self._work.storage_of(operation, receipt)
        noted = attrs.evolve(
            receipt, step=Step.JOB, storage=storage.name, doubt=operation.attempt > 1
        )
        if job := jobs.begun(self._work, operation):
            return attrs.evolve(noted, client=job.client).running()
        client, hostname = receipt.client, receipt.hostname
        if not client:
            scheduler = self._scheduler(operation, survey, storage)
            client, hostname = scheduler.client_id, scheduler.hostname
        orders = self._actions(operation, survey, storage, hostname)
        jobs.begin(self._work, operation, client, orders)
        return attrs.evolve(noted, client=client, hostname=hostname).running()

    def _after_job(self, operation: Operation, receipt: Receipt) -> Progress:
        """See what Freezer has recorded; then wait for Cinder, or look at the data."""
        survey = covered(operation)
        job = jobs.ended(self._work, operation)
        if job is None:
            return Progress(
                ProgressState.FAILED, reason=f"job {job_id(operation.id)} is gone from Freezer"
            )
        if (moved := handover.advance(self._work, operation, receipt, job)) is not None:
            return moved
        _, seen = self._work.ended.seen(job.id)
        records = results.matched(survey, seen)
        limit = ""
        if None in records:
            found = all_records_of(self._work.client, job.id)
            records = results.matched(survey, found)
            limit = agent_limit(results.told(found, "client_version"))
        if job.stage is not Stage.SUCCEEDED or None in records:
            return results.unfinished(survey, records, job, limit)
        noted = attrs.evolve(
            receipt,
            step=Step.NATIVE,
            doubt=receipt.doubt or operation.attempt > 1,
            # A scheduler may not have told its host's name; what counts is what the agent used.
            hostname=results.told(records, "hostname") or receipt.hostname,
            agent_version=results.told(records, "client_version"),
            records=results.compact(records),
        )
        if any(piece.mode is Mode.NATIVE for piece in survey.pieces):
            return noted.running()
        return self._look(operation, noted)

    def _look(self, operation: Operation, receipt: Receipt) -> Progress:
        """Look at what is stored, which decides: Freezer's own word is not enough."""
        survey = covered(operation)
        storage = self._work.storage_of(operation, receipt)
        stored = results.stored(survey, receipt.records)
        place = attrs.evolve(self._place(operation, storage), hostname=receipt.hostname)
        try:
            seen = self._work.data.measure(storage, place, stored)
        except StillReading as still:
            return results.reading(receipt, still.progress)
        measured = [
            _explained(piece, each, place) for piece, each in zip(stored, seen, strict=True)
        ]
        handle = Handle(
            kind=storage.kind.value,
            container=place.container,
            backup_name=place.backup_name,
            hostname=place.hostname,
            client=receipt.client,
            job=job_id(operation.id),
            agent_version=receipt.agent_version,
            pieces=results.with_sizes(stored, measured),
            servers=survey.servers,
        )
        judgement = judge(survey, stored, measured)
        ended = results.weighed(survey, handle, judgement, storage.name)
        return attrs.evolve(ended, receipt=receipt.document())

    def _scheduler(self, operation: Operation, survey: Survey, storage: Storage) -> Scheduler:
        """Choose who runs the job, and refuse what could not be carried out or brought back."""
        for piece in survey.pieces:
            self._check_restorable(operation, piece, storage)
        jobs.description(operation)
        scheduler = placement.for_protect(
            self._work.schedulers,
            self._work.scheduler_named(operation),
            operation.resource,
            self._actions(operation, survey, storage, ""),
            operation.id,
        )
        self._work.agents.check(scheduler.hostname, survey.pieces)
        check_folder_name(scheduler.hostname, operation.options["backup_name"])
        return scheduler

    def _actions(
        self, operation: Operation, survey: Survey, storage: Storage, hostname: str
    ) -> list[dict[str, Any]]:
        place = attrs.evolve(self._place(operation, storage), hostname=hostname)
        return [
            actions.backup_action(operation, index, piece, place, storage)
            for index, piece in enumerate(survey.pieces)
        ]

    def _place(self, operation: Operation, storage: Storage) -> Place:
        return Place(
            container=storage.container(self._work.configuration.container, operation.id),
            backup_name=check_backup_name(operation.options["backup_name"]),
            hostname="",
        )

    def _check_restorable(self, operation: Operation, piece: Piece, storage: Storage) -> None:
        version = self._work.configuration.agent_version or NEWEST
        judged = verdict_of(version, piece, storage.kind)
        if not judged.restorable and not operation.options.get("allow_unrestorable", False):
            raise InvalidInput(
                f"storage {storage.name!r}: freezer-agent {version} could not restore "
                f"{piece.type} from {storage.kind}: {judged.reason}; choose another storage, or "
                "give the option 'allow_unrestorable'"
            )


def _explained(stored: StoredPiece, seen: Measured, place: Place) -> Measured:
    """Say why an archive lacks something, where the directory is on this host."""
    if seen.contents is None or not hosts.is_here(place.hostname):
        return seen
    contents = explain(seen.contents, stored.piece.id, stored.time_stamp)
    return attrs.evolve(seen, contents=contents)


def _check_size(survey: Survey) -> None:
    """Refuse what would not fit into a receipt and a handle, before anything is begun."""
    size = len(json.dumps(survey.document()).encode()) + _PER_PIECE * len(survey.pieces)
    if size > _ROOM:
        raise InvalidInput(
            f"{survey.resource.type} {survey.resource.id} is too large for one backup: what is "
            f"needed to make its {len(survey.pieces)} resources again takes {size} bytes, and "
            f"{_ROOM} are kept: protect its resources on their own"
        )
