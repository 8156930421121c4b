"""A scheduler's part, played by a script before a real Freezer API.

It says to the API what ``freezer-scheduler`` 19.0.0 says: it registers, asks for its jobs in pages
of ten, and writes how they stand. The agents' work is that of `tests.support.scripted_agent`.
Unlike a real one it can be told what is to become of a job, and it is as fast as the API: hundreds
of jobs end in seconds. It goes by any clock::

    with ScriptedScheduler(client, agent) as scheduler, scheduler.running():
        scheduler.plan(FAILS)
        ...  # the next job of its client id fails

Left out: timetables, sessions, coordination, repeated actions, and ``abort``, which in 19.0.0 stops
nothing but the scheduler itself.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self

import attrs
import requests
import tenacity
from freezerclient.exceptions import ApiClientException
from freezerclient.v2.client import Client

from sandbox.scheduler import DEFAULT_CAPABILITIES
from tests.support.scripted_agent import AgentError, ScriptedAgent, parse_action

_PAGE: Final = 10
_TIME_NULL: Final = -1


def _is_transient(error: BaseException) -> bool:
    """Return whether a repeat may help: SQLite's "database is locked" is a 500."""
    if isinstance(error, ApiClientException):
        return bool(error.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR)
    return isinstance(error, requests.RequestException)


_retry: Final = tenacity.retry(
    # A real scheduler logs the error and never says again what it had to say.
    retry=tenacity.retry_if_exception(_is_transient),
    stop=tenacity.stop_after_attempt(10),
    wait=tenacity.wait_random_exponential(multiplier=0.01, max=0.5),
    reraise=True,
)


@attrs.frozen
class JobOutcome:
    """What is to become of a job.

    Attributes:
        seconds: how long its agent works; None for as long as the scheduler's jobs take.
        taken: whether the scheduler takes it up; one that lacks a capability never does.
        starts: whether it starts, or waits on the scheduler's list until it is stopped.
        heeds_stop: whether a stop before the start is heeded; a scheduler that read the job just
            before the stop was written does not.
        fails: whether its last action ends with an error: that of a backup after it has done its
            work, that of a restore half-way.
        whole: whether a backup that fails was finished, or is left half done.
    """

    seconds: float | None = None
    taken: bool = True
    starts: bool = True
    heeds_stop: bool = True
    fails: bool = False
    whole: bool = True


SUCCEEDS: Final = JobOutcome()
FAILS: Final = JobOutcome(fails=True)
FAILS_HALFWAY: Final = JobOutcome(fails=True, whole=False)
IGNORED: Final = JobOutcome(taken=False)
NEVER_STARTS: Final = JobOutcome(starts=False)
IGNORES_STOP: Final = JobOutcome(heeds_stop=False)


@attrs.define
class _Job:
    """A job that the scheduler knows.

    Attributes:
        document: the API's, with the schedule as the scheduler has it.
        outcome: its planned outcome.
        starts_at: when it starts; None when it does not, or has.
        ends_at: when it ends; None while it does not run.
        removed: whether the API has it no more.
    """

    document: dict[str, Any]
    outcome: JobOutcome
    starts_at: float | None = None
    ends_at: float | None = None
    removed: bool = False

    @property
    def id(self) -> str:
        identifier: str = self.document["job_id"]
        return identifier

    @property
    def schedule(self) -> dict[str, Any]:
        schedule: dict[str, Any] = self.document["job_schedule"]
        return schedule


class ScriptedScheduler:
    """Runs the jobs of one client id. Safe for use by several threads.

    Used as a context manager, it registers, and takes its registration back at the end.

    Args:
        client: Freezer's own client, as its scheduler uses it.
        agent: does the work.
        client_id: what the API knows it by.
        now: what time it is, in seconds.
        delay: seconds between taking a job up and starting it; a real one takes 2.
        seconds: how long an agent works.
    """

    def __init__(
        self,
        client: Client,
        agent: ScriptedAgent,
        *,
        client_id: str = "scripted",
        now: Callable[[], float] = time.time,
        delay: float = 0,
        seconds: float = 0,
    ) -> None:
        self._client = client
        self._client.client_id = client_id
        self._agent = agent
        self._now = now
        self._delay = delay
        self._seconds = seconds
        self._lock = threading.Lock()
        self._jobs: dict[str, _Job] = {}
        self._planned: list[JobOutcome] = []

    def __enter__(self) -> Self:
        self._register()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        _retry(self._client.clients.delete)(self._client.client_id)

    def plan_outcome(self, outcome: JobOutcome) -> None:
        """Plan the outcome of the next job that the scheduler finds, after those planned before."""
        with self._lock:
            self._planned.append(outcome)

    def unfired(self) -> list[JobOutcome]:
        """Return the fates that no job has had yet."""
        with self._lock:
            return list(self._planned)

    def run_cycle(self) -> None:
        """Look for jobs, as a real scheduler does at each interval, and let the agents work on.

        Raises:
            ApiClientException: Freezer went on refusing.
            requests.RequestException: Freezer cannot be reached.
        """
        with self._lock:
            listed = {document["job_id"]: document for document in self._list_active_jobs()}
            for identifier, document in listed.items():
                self._handle_listed(identifier, document)
            for job in [job for job in self._jobs.values() if job.id not in listed]:
                self._handle_unlisted(job)
            for job in list(self._jobs.values()):
                self._advance(job)

    @contextlib.contextmanager
    def run_in_background(self, interval: float = 0.01) -> Iterator[None]:
        """Let it work in a thread of its own, to the end of the block.

        Args:
            interval: seconds between two looks.
        """
        over = threading.Event()

        def work() -> None:
            while not over.wait(interval):
                self.run_cycle()

        thread = threading.Thread(target=work, name="scripted-scheduler", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _register(self) -> None:
        information = {"client_id": self._client.client_id, "hostname": self._agent.hostname}
        _retry(self._client.clients.create)(
            {**information, **DEFAULT_CAPABILITIES, "is_central": False}
        )

    def _list_active_jobs(self) -> Iterator[dict[str, Any]]:
        search = {"match_not": [{"status": "completed"}]}
        offset = 0
        while True:
            page = _retry(self._client.jobs.list)(limit=_PAGE, offset=offset, search=search)
            yield from page
            if len(page) < _PAGE:
                return
            offset += len(page)

    def _handle_listed(self, identifier: str, document: dict[str, Any]) -> None:
        """Take a job up, or take notice of what the API wants of it."""
        event = document["job_schedule"].get("event") or ""
        job = self._jobs.get(identifier)
        if job is None:
            self._accept(document, event)
            return
        job.removed = False
        if event == "stop" and job.starts_at is not None and job.outcome.heeds_stop:
            job.starts_at = None
            self._update_schedule(job, event="", status="stop")
        elif event == "stop" and job.ends_at is not None:
            job.schedule["event"] = event

    def _accept(self, document: dict[str, Any], event: str) -> None:
        job = _Job(document, self._planned.pop(0) if self._planned else SUCCEEDS)
        self._jobs[job.id] = job
        if not job.outcome.taken:
            return
        if event == "stop" and job.outcome.heeds_stop:
            self._update_schedule(job, event="", status="stop")
        elif event or job.schedule.get("status") != "stop":
            job.starts_at = self._now() + self._delay if job.outcome.starts else float("inf")
            self._update_schedule(job, event="", status="scheduled")

    def _handle_unlisted(self, job: _Job) -> None:
        """Let go of a job that the API does not list; an agent that works goes on all the same."""
        job.removed = job.ends_at is not None
        if not job.removed:
            del self._jobs[job.id]

    def _advance(self, job: _Job) -> None:
        now = self._now()
        if job.starts_at is not None and now >= job.starts_at:
            job.starts_at = None
            job.ends_at = now + (
                self._seconds if job.outcome.seconds is None else job.outcome.seconds
            )
            begun = {"time_started": int(now), "time_ended": _TIME_NULL}
            self._update_schedule(job, status="running", result="", **begun)
            self._update_schedule(job, current_pid=threading.get_native_id())
        if job.ends_at is not None and now >= job.ends_at:
            job.ends_at = None
            result = "success" if self._run_actions(job) else "fail"
            if job.removed:
                del self._jobs[job.id]
            else:
                self._update_schedule(job, time_ended=int(now), result=result, status="completed")

    def _run_actions(self, job: _Job) -> bool:
        """Let the agent do a job's actions; return whether it did them without an error."""
        *first, last = (
            parse_action(each["freezer_action"]) for each in job.document["job_actions"]
        )
        try:
            for action in first:
                self._run_action(job, action, SUCCEEDS)
            # After an action that failed a real scheduler skips all that follow.
            self._run_action(job, last, job.outcome)
        except AgentError:
            return False
        return not job.outcome.fails

    def _run_action(self, job: _Job, action: dict[str, str], outcome: JobOutcome) -> None:
        match action["action"]:
            case "backup":
                self._back_up(job, action, outcome)
            case "restore":
                self._agent.restore(action, whole=not outcome.fails)
            case "admin":
                self._agent.remove(action)

    def _back_up(self, job: _Job, action: dict[str, str], outcome: JobOutcome) -> None:
        backups = self._client.backups
        if action["mode"] == "cindernative":
            # A real scheduler makes this record before its agent starts, without the job's id.
            early = {**action, "status": "creating", "time_stamp": int(time.time())}
            action = {**action, "backup_id": _retry(backups.create)(early)}
        metadata = self._agent.back_up(action, whole=outcome.whole)
        if outcome.fails:
            return
        if "backup_id" in metadata:
            document = {**metadata, "job_id": job.id}
            _retry(backups.update)(metadata["backup_id"], document)
        else:
            _retry(backups.create)({**metadata, "job_id": job.id})

    def _update_schedule(self, job: _Job, **schedule: Any) -> None:
        """Write into the API how a job stands, and nothing of its actions."""
        job.schedule.update(schedule)
        document = {"job_schedule": job.schedule, "session_id": "", "session_tag": 0}
        try:
            _retry(self._client.jobs.update)(job.id, document)
        except ApiClientException as error:
            # Somebody has deleted it in the meantime; the next look tells.
            if error.status_code != HTTPStatus.NOT_FOUND:
                raise
