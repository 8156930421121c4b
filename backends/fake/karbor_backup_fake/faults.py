"""Faults planned ahead: what goes wrong, at which request, for which operation, in which order.

::

    cloud.faults.plan("create_job", LostReply(), operation=operation.id)
    cloud.faults.plan("list_jobs", Fine(), Fine(), Busy(retry_after=30))
    ...
    assert not cloud.faults.unfired()
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Final, Protocol, TypeVar

import attrs

from karbor_backup_fake._model import CloudError, Job, Unavailable

T = TypeVar("T")

ANY: Final = "*"
"""Any request, or any operation."""

REQUESTS: Final = (
    "check",
    "create_job",
    "find_jobs",
    "list_jobs",
    "list_made",
    "cancel_job",
    "delete_job",
)
"""The names of all requests that the cloud takes."""


class RestartableService(Protocol):
    """What can be made to go wrong."""

    def restart(self, *, forget_running: bool) -> None:
        """Restart, with or without what was going on."""


@attrs.frozen
class CloudFault:
    """What may go wrong with one request. This one: nothing; it lets one request pass."""

    def apply(self, _service: RestartableService, effect: Callable[[], T], /) -> T:
        """Let the request take effect, or not, or twice; answer it, or not."""
        return effect()

    def modify_job(self, job: Job) -> Job:
        """Change the job that the request is about to begin."""
        return job


_NO_FAULT: Final = CloudFault()


class NoFault(CloudFault):
    """Nothing goes wrong: it stands for a request before the one that goes wrong."""


@attrs.frozen
class Busy(CloudFault):
    """The cloud takes no request now; nothing takes effect.

    Attributes:
        retry_after: seconds after which to try again, where the cloud says so.
    """

    retry_after: float | None = None

    def apply(self, _service: RestartableService, _effect: Callable[[], T], /) -> T:
        """Refuse for now."""
        raise Unavailable("the cloud is busy", self.retry_after)


@attrs.frozen
class Refused(CloudFault):
    """The cloud refuses for good; nothing takes effect.

    Attributes:
        reason: why.
    """

    reason: str = "the cloud refuses this"

    def apply(self, _service: RestartableService, _effect: Callable[[], T], /) -> T:
        """Refuse for good."""
        raise CloudError(self.reason)


class LostReply(CloudFault):
    """The request takes effect, but its answer never arrives."""

    def apply(self, _service: RestartableService, effect: Callable[[], T], /) -> T:
        """Take effect, and lose the answer."""
        effect()
        raise Unavailable("the connection broke before the cloud had answered")


class DuplicateRequest(CloudFault):
    """The request arrives twice, and the cloud takes it twice."""

    def apply(self, _service: RestartableService, effect: Callable[[], T], /) -> T:
        """Take effect twice, and answer the second one."""
        effect()
        return effect()


@attrs.frozen
class Restart(CloudFault):
    """The cloud restarts as the request arrives; the request does not take effect.

    Attributes:
        forgets_running: whether it forgets the jobs that were running, with their work half done.
    """

    forgets_running: bool = False

    def apply(self, service: RestartableService, _effect: Callable[[], T], /) -> T:
        """Restart."""
        service.restart(forget_running=self.forgets_running)
        raise Unavailable("the cloud is restarting")


@attrs.frozen
class FailJob(CloudFault):
    """The job is begun, and fails when its time is up.

    Attributes:
        reason: why.
        member: the id or name of the only member that fails; empty for the whole.
    """

    reason: str = "the disk is full"
    member: str = ""

    def modify_job(self, job: Job) -> Job:
        """Make the job fail."""
        return attrs.evolve(job, fails=self.reason, fails_member=self.member)


class StallJob(CloudFault):
    """The job is begun, and never ends unless it is cancelled."""

    def modify_job(self, job: Job) -> Job:
        """Take the job's end away."""
        return attrs.evolve(job, ends_at=None)


@attrs.frozen
class SlowJob(CloudFault):
    """The job takes that long.

    Attributes:
        seconds: from its begin to its end.
    """

    seconds: float

    def modify_job(self, job: Job) -> Job:
        """Move the job's end."""
        return attrs.evolve(job, ends_at=job.started_at + timedelta(seconds=self.seconds))


class IgnoreCancel(CloudFault):
    """The job takes a cancel, and goes on all the same, as Freezer's do."""

    def modify_job(self, job: Job) -> Job:
        """Make the job ignore cancels."""
        return attrs.evolve(job, heeds_cancel=False)


@attrs.frozen
class PlannedFault:
    """A fault that waits for its request.

    Attributes:
        request: the request that it waits for, or ``ANY``.
        operation: the operation that it waits for, or ``ANY``.
        fault: what goes wrong then.
    """

    request: str
    operation: str
    fault: CloudFault

    def matches(self, request: str, operation: str) -> bool:
        """Return whether this request is the one."""
        return self.request in (ANY, request) and self.operation in (ANY, operation)


@attrs.define
class FaultPlan:
    """The faults that are still to come, in order."""

    _pending: list[PlannedFault] = attrs.field(factory=list)

    def plan(self, request: str, *faults: CloudFault, operation: str = ANY) -> None:
        """Plan one fault for each of the next requests of that name and operation.

        Raises:
            ValueError: the cloud knows no such request, or there is no fault to plan.
        """
        if request not in (ANY, *REQUESTS):
            raise ValueError(f"{request!r} is no request of the cloud: {', '.join(REQUESTS)}")
        if not faults:
            raise ValueError(f"no fault given for the request {request}")
        self._pending.extend(PlannedFault(request, operation, fault) for fault in faults)

    def plan_at(self, number: int, fault: CloudFault) -> Callable[[], bool]:
        """Plan a fault for the number-th request from now, whichever it is; 1 is the next.

        Returns:
            What takes the fault back, and says whether a request has met it.
        """
        planned = PlannedFault(ANY, ANY, fault)
        before = [PlannedFault(ANY, ANY, NoFault()) for _ in range(number - 1)]
        mine = [*before, planned]
        self._pending.extend(mine)

        def withdraw() -> bool:
            met = all(each is not planned for each in self._pending)
            self._pending = [each for each in self._pending if all(each is not one for one in mine)]
            return met

        return withdraw

    def pop_matching(self, request: str, operation: str) -> CloudFault:
        """Answer, and use up, the first fault that waits for this request."""
        for planned in self._pending:
            if planned.matches(request, operation):
                self._pending.remove(planned)
                return planned.fault
        return _NO_FAULT

    def unfired(self) -> tuple[PlannedFault, ...]:
        """Return the faults that no request has met."""
        return tuple(self._pending)
