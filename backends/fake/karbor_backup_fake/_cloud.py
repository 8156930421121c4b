"""The fake cloud: a service that works on its own time and outlives every backend object."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import attrs

from karbor_backup_core import Clock, Resource, system_clock
from karbor_backup_fake import _job_effects
from karbor_backup_fake._indexes import JobIndex
from karbor_backup_fake._inventory import Inventory
from karbor_backup_fake._model import Asset, CloudError, Copy, Job, JobState, NotFound, Task
from karbor_backup_fake.faults import FaultPlan

T = TypeVar("T")


def _allow_request(_: str) -> None:
    """Let every request pass."""


class FakeCloud:
    """Resources, copies of them, and jobs that take their time on a clock.

    The methods named in ``REQUESTS`` are what a backend may call; the others are for tests. As in
    many a real service, job names are not unique: a backend that does not look before it creates
    gets the work done twice, and ``started`` shows it.

    Attributes:
        name: told apart by it.
        clock: answers the present instant.
        service_seconds: how long a job takes.
        work_limit: how many jobs it works on at once; the others wait in their order. None for
            any number.
        token: what a caller must show; empty for nothing.
        heeds_cancel: whether a cancel stops a job; Freezer's go on.
        faults: what is planned to go wrong.
        gate: called with "<request> asked" before each request takes effect and with
            "<request> done" after it. A test that raises a BaseException here kills the caller.
        inventory: the resources and the copies.
        requests: how often each request was made.
        started: how many jobs were begun per operation and phase.
        orphans: jobs that were deleted while their work went on.
    """

    def __init__(
        self,
        name: str = "cloud",
        *,
        clock: Clock = system_clock,
        service_seconds: float = 0.0,
        work_limit: int | None = None,
        token: str = "",
    ) -> None:
        self.name = name
        self.clock = clock
        self.service_seconds = service_seconds
        self.work_limit = work_limit
        self.token = token
        self.heeds_cancel = True
        self.faults = FaultPlan()
        self.gate: Callable[[str], None] = _allow_request
        self.inventory = Inventory()
        self.requests: Counter[str] = Counter()
        self.started: Counter[tuple[str, int]] = Counter()
        self.orphans: list[Job] = []
        self._jobs = JobIndex()
        self._fences: dict[str, int] = {}
        self._lock = threading.RLock()

    def authenticate(self, token: str) -> None:
        """Let a caller in who shows the right token.

        Raises:
            CloudError: the token is wrong.
        """
        if token != self.token:
            raise CloudError("the cloud does not know this token")

    def check(self) -> str:
        """Describe how the cloud is, in one line."""
        return self._handle_request("check", "", lambda _: f"{self.name} is up")

    def create_job(self, operation: str, phase: int, task: Task, fence: int | None = None) -> Job:
        """Begin work, once there is room for it; the cloud gives the job an id of its own.

        Raises:
            CloudError: somebody has shown a higher fencing number for the operation.
        """

        def effect(shape: Callable[[Job], Job]) -> Job:
            self._check_fence(operation, fence)
            now = self.clock()
            job = shape(
                Job(
                    id=self.inventory.new_id("job"),
                    operation=operation,
                    phase=phase,
                    task=task,
                    started_at=now,
                    ends_at=now + timedelta(seconds=self.service_seconds),
                    heeds_cancel=self.heeds_cancel,
                )
            )
            if self._has_room():
                self._start_job(job)
            else:
                self._jobs[job.id] = attrs.evolve(job, state=JobState.QUEUED)
            self.started[operation, phase] += 1
            self._finish_due_jobs()
            return self._with_progress(self._jobs[job.id])

        return self._handle_request("create_job", operation, effect)

    def find_jobs(self, operation: str, fence: int | None = None) -> list[Job]:
        """Return the jobs that carry this operation's tag, the oldest first.

        Raises:
            CloudError: somebody has shown a higher fencing number for the operation.
        """

        def effect(_: object) -> list[Job]:
            self._check_fence(operation, fence)
            return self.jobs(operation)

        return self._handle_request("find_jobs", operation, effect)

    def list_jobs(self) -> list[Job]:
        """Return all jobs, the oldest first."""
        return self._handle_request("list_jobs", "", lambda _: self.jobs())

    def list_made(self, operation: str) -> list[str]:
        """Return the ids of all that carries this operation's tag."""
        return self._handle_request(
            "list_made", operation, lambda _: self.inventory.ids_made_by(operation)
        )

    def find_dependents(self, copy_id: str) -> list[Copy]:
        """Return the copies that cannot be read without a copy, the latest first."""
        return self._handle_request(
            "find_dependents", "", lambda _: self.inventory.dependents(copy_id)
        )

    def cancel_job(self, job: Job, fence: int | None = None) -> None:
        """Ask a job to stop.

        Raises:
            CloudError: somebody has shown a higher fencing number for the operation.
        """

        def effect(_: object) -> None:
            self._check_fence(job.operation, fence)
            kept = self._get_job(job.id)
            if kept.state.active and kept.heeds_cancel:
                self._jobs[job.id] = attrs.evolve(
                    self._with_progress(kept), state=JobState.CANCELLED, reason="it was cancelled"
                )
                self._start_queued_jobs(self.clock())

        self._handle_request("cancel_job", job.operation, effect)

    def delete_job(self, job: Job, fence: int | None = None) -> None:
        """Forget a job.

        Raises:
            NotFound: it is forgotten already.
            CloudError: somebody has shown a higher fencing number for the operation.
        """

        def effect(_: object) -> None:
            self._check_fence(job.operation, fence)
            kept = self._get_job(job.id)
            if kept.state is JobState.RUNNING:
                self.orphans.append(kept)
            del self._jobs[job.id]
            self._start_queued_jobs(self.clock())

        self._handle_request("delete_job", job.operation, effect)

    def add_resource(
        self, resource: Resource, content: bytes = b"", members: tuple[Resource, ...] = ()
    ) -> Resource:
        """Make a resource as a user would, with members that are there already."""
        with self._lock:
            ids = tuple(self.inventory.get_asset(member.id).resource.id for member in members)
            self.inventory.assets[resource.id] = Asset(resource, content, ids)
            return resource

    def remove_resource(self, resource_id: str) -> None:
        """Lose a resource with all its members."""
        with self._lock:
            self.inventory.remove_tree(resource_id)

    def read_content(self, resource_id: str) -> bytes:
        """Return what is in a resource.

        Raises:
            NotFound: there is none of that id.
        """
        with self._lock:
            self._finish_due_jobs()
            return self.inventory.get_asset(resource_id).content

    def corrupt_copy(self, copy_id: str) -> None:
        """Spoil the stored data of a copy."""
        with self._lock:
            copy = self.inventory.get_copy(copy_id)
            self.inventory.copies[copy_id] = attrs.evolve(copy, content=copy.content + b"?")

    def lose_vault(self, vault: str) -> None:
        """Lose all copies that a vault keeps, as when its building has burnt down."""
        with self._lock:
            self._finish_due_jobs()
            self.inventory.lose_vault(vault)

    def copies(self) -> list[Copy]:
        """Return all copies."""
        with self._lock:
            self._finish_due_jobs()
            return list(self.inventory.copies.values())

    def jobs(self, operation: str = "") -> list[Job]:
        """Return the jobs, all or one operation's, as they are now; the oldest first."""
        with self._lock:
            self._finish_due_jobs()
            kept = self._jobs
            ids = kept.ids_made_by(operation) if operation else list(kept)
            return [self._with_progress(kept[job_id]) for job_id in ids]

    def remaining_ids(self, operation: str) -> list[str]:
        """Return the ids of all jobs, copies and resources that carry this operation's tag."""
        with self._lock:
            jobs = [job.id for job in self.jobs(operation)]
            return jobs + self.inventory.ids_made_by(operation)

    def restart(self, *, forget_running: bool) -> None:
        """Restart the service; it may forget the jobs that run, with their work half done."""
        with self._lock:
            self._finish_due_jobs()
            if forget_running:
                active = [job.id for job in self._jobs.values() if job.state.active]
                for job_id in active:
                    del self._jobs[job_id]

    def _handle_request(
        self, name: str, operation: str, effect: Callable[[Callable[[Job], Job]], T]
    ) -> T:
        """Let a request through the gate and the planned faults."""
        self.gate(f"{name} asked")
        with self._lock:
            self.requests[name] += 1
            self._finish_due_jobs()
            fault = self.faults.pop_matching(name, operation)
            answer = fault.apply(self, lambda: effect(fault.modify_job))
        self.gate(f"{name} done")
        return answer

    def _check_fence(self, operation: str, fence: int | None) -> None:
        """Refuse what comes late; the numbers outlive the jobs, as late calls may."""
        if fence is None:
            return
        highest = self._fences.get(operation, 0)
        if fence < highest:
            raise CloudError(
                f"a call for operation {operation} with fencing number {fence} comes late: "
                f"one with {highest} has been seen"
            )
        self._fences[operation] = fence

    def _get_job(self, job_id: str) -> Job:
        if job_id not in self._jobs:
            raise NotFound(f"the cloud has no job {job_id}")
        return self._jobs[job_id]

    def _finish_due_jobs(self) -> None:
        """Finish the jobs whose time is up, in the order of their ends; others begin then."""
        while due := self._jobs.pop_due(self.clock()):
            for job in due:
                finished = _job_effects.finish_job(self.inventory, job)
                self._jobs[job.id] = self._with_progress(finished)
                self._start_queued_jobs(job.ends_at or self.clock())

    def _has_room(self) -> bool:
        return self.work_limit is None or len(self._jobs.running) < self.work_limit

    def _start_job(self, job: Job) -> None:
        self._jobs[job.id] = _job_effects.start_job(
            self.inventory, job, self._jobs.get(job.task.members_from)
        )

    def _start_queued_jobs(self, at: datetime) -> None:
        """Begin the jobs that there is room for, the oldest first, as of an instant."""
        while self._jobs.queued and self._has_room():
            job = self._jobs[next(iter(self._jobs.queued))]
            ends_at = None if job.ends_at is None else job.ends_at + (at - job.started_at)
            begun = attrs.evolve(job, state=JobState.RUNNING, started_at=at, ends_at=ends_at)
            try:
                self._start_job(begun)
            except CloudError as error:
                self._jobs[job.id] = attrs.evolve(job, state=JobState.FAILED, reason=str(error))

    def _with_progress(self, job: Job) -> Job:
        """Return a job as it looks now."""
        if job.state is not JobState.RUNNING or job.ends_at is None:
            return job
        share = (self.clock() - job.started_at) / (job.ends_at - job.started_at)
        return attrs.evolve(job, done=int(job.size * share))
