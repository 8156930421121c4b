"""A Freezer in this process with one scheduler and the scripted agent, and a core that drives it.

The cloud is the scripted one, asked by the real openstacksdk. A job is run when a test says so,
as freezer-scheduler 19.0.0 does it: action after action, none after one that failed.
"""

import contextlib
import datetime as dt
import socket
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from karbor_backup_core import (
    Backup,
    Call,
    KarborBackupError,
    Lifecycle,
    Operation,
    Policy,
    Progress,
    Resource,
    State,
    Transient,
    Verb,
    Workflow,
    next_call,
)
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.workflows.context import WorkflowContext
from karbor_backup_freezer.workflows.step import FreezerCall
from karbor_backup_freezer.workflows.workflow import STEPS, Steps, create_workflow
from tests.backends.freezer.restore.harness import PROJECT, SERVER, VOLUME, RestoreHarness
from tests.backends.openstack.stub_cloud import PROJECT_ID
from tests.support.fake_freezer import FakeFreezer
from tests.support.scripted_agent.agent import ScriptedAgent, parse_action
from tests.support.scripted_agent.modes import AgentError
from tests.support.scripted_cloud import block_storage, compute
from tests.support.scripted_cloud.defaults import create_defaults
from tests.support.scripted_cloud.state import CloudState, FakeResource

HOST = socket.gethostname()
SCHEDULER = "one"
OPTIONS = {Verb.PROTECT: {"backup_name": "nightly"}, Verb.RESTORE: {"restore_name": "new"}}
STEPS_LIMIT = 60
SHOP = Resource(PROJECT, PROJECT_ID, "shop")


class FakeScheduler:
    """Runs the jobs of a Freezer's schedulers at once, with one agent for all.

    Args:
        freezer: whose jobs.
        agent: does what actions say.

    Attributes:
        client_ids: the schedulers that take jobs up; the others do nothing.
        hangs: whether agents begin their work and never end it.
        breaks: which action fails for a thing, by a value that its action names.
        runs: the ids of the jobs that were run.
        restored: the prefixes of what was restored, in order.
    """

    def __init__(self, freezer: FakeFreezer, agent: ScriptedAgent) -> None:
        self._freezer = freezer
        self._agent = agent
        self.client_ids = {SCHEDULER}
        self.hangs = False
        self.breaks: dict[str, str] = {}
        self.runs: list[str] = []
        self.restored: list[str] = []

    def run_jobs(self) -> None:
        """Take up all jobs that wait, and take those off the list that are to be stopped."""
        for job in self._freezer.jobs.values():
            event = job["job_schedule"]["event"]
            if job["client_id"] not in self.client_ids:
                continue
            if event == "stop" and not job["job_schedule"]["status"]:
                self._write_schedule(job, "stop")
            if event == "start":
                self.run_job(job)

    def run_job(self, job: Mapping[str, Any]) -> None:
        """Run one job, or begin it and let it hang."""
        if self.hangs:
            self._write_schedule(job, "running")
            self._begin_action(job["job_actions"][0]["freezer_action"])
        else:
            self.runs.append(job["job_id"])
            self._write_schedule(job, "completed", self._run_actions(job))

    def end_hanging_jobs(self) -> None:
        """End the agents that hang, as somebody who kills them does."""
        self.hangs = False
        for job in self._freezer.jobs.values():
            if job["job_schedule"]["status"] == "running":
                self._write_schedule(job, "completed", "aborted")

    def _write_schedule(self, job: Mapping[str, Any], status: str, result: str = "") -> None:
        written = {"event": "", "status": status, "result": result}
        self._freezer.set_schedule(job["job_id"], **{**job["job_schedule"], **written})

    def _begin_action(self, fields: Mapping[str, Any]) -> None:
        action = parse_action(fields)
        if action["action"] == "backup":
            self._agent.back_up(action, whole=False)
        else:
            self._agent.restore(action, whole=False)

    def _run_actions(self, job: Mapping[str, Any]) -> str:
        for document in job["job_actions"]:
            action = parse_action(document["freezer_action"])
            try:
                self._fail_if_broken(action)
                self._run_action(job["job_id"], action)
            except AgentError:
                return "fail"
        return "success"

    def _fail_if_broken(self, action: Mapping[str, str]) -> None:
        for value, verb in self.breaks.items():
            if value in action.values() and action["action"] == verb:
                raise AgentError(value)

    def _run_action(self, job_id: str, action: Mapping[str, str]) -> None:
        match action["action"]:
            case "backup":
                self._freezer.add_record({**self._agent.back_up(action), "job_id": job_id})
            case "restore":
                self._agent.restore(action)
                self.restored.append(action["temp_resource_prefix"])
            case _:
                self._agent.remove(action)


@attrs.define
class WorkflowHarness:
    """The backend's verbs on that Freezer and cloud, driven as the core drives them.

    Attributes:
        cloud: the cloud.
        freezer: Freezer.
        scheduler: runs its jobs.
        folder: where everything is stored.
        configuration: one local storage.
        now: the driver's clock.
        pace: the time from one call to the next.
        lifecycle: the core's rules.
        steps: of each verb, in their order.
    """

    cloud: RestoreHarness
    freezer: FakeFreezer
    scheduler: FakeScheduler
    folder: Path
    configuration: Configuration
    now: dt.datetime = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    pace: dt.timedelta = dt.timedelta(seconds=2)
    lifecycle: Lifecycle = attrs.field(
        factory=lambda: Lifecycle(Policy(unknown_gap=dt.timedelta(seconds=1)))
    )
    steps: Steps = STEPS

    @classmethod
    def create(cls, cloud: RestoreHarness, folder: Path) -> "WorkflowHarness":
        cloud.application.state = CloudState(lambda: cloud.time, 0)
        create_defaults(cloud.state)
        agent = ScriptedAgent(folder, HOST, cloud.state, PROJECT_ID)
        disk = {"kind": "local", "path": str(folder)}
        freezer = FakeFreezer()
        freezer.register(SCHEDULER, HOST)
        return cls(
            cloud,
            freezer,
            FakeScheduler(freezer, agent),
            folder,
            Configuration.from_document({"storages": {"disk": disk}}),
        )

    # Things to protect.

    def create_volume(self, name: str, content: bytes = b"data", **asked: Any) -> Resource:
        thing = block_storage.new_volume(
            self.cloud.state, PROJECT_ID, {"size": 1, "name": name, **asked}
        )
        thing.content = content
        self.cloud.state.run_due()
        return Resource(VOLUME, thing.id, name)

    def create_server(self, name: str, content: bytes = b"system") -> Resource:
        state = self.cloud.state
        thing = compute.new_server(
            state,
            PROJECT_ID,
            {
                "name": name,
                "flavorRef": self.cloud.flavor.id,
                "networks": [{"uuid": self.cloud.network.id}],
                "imageRef": state.images.find_by_name("guest")[0].id,
            },
        )
        thing.content = content
        state.run_due()
        return Resource(SERVER, thing.id, name)

    def read_content(self, resource: Resource) -> bytes:
        collection = (
            self.cloud.state.volumes if resource.type == VOLUME else self.cloud.state.servers
        )
        thing: FakeResource = collection.get(resource.id)
        return thing.content

    # The core.

    def new_context(self) -> WorkflowContext:
        """Return what a process that has just begun works with."""
        return WorkflowContext.create(self.freezer, self.configuration, self.cloud.services)

    def run_operation(
        self,
        verb: Verb,
        target: Resource | Backup,
        options: Mapping[str, Any] | None = None,
        between: Callable[[Operation], Operation] = lambda operation: operation,
    ) -> Operation:
        """Drive an operation to its release, each call in a process of its own.

        Args:
            verb: what to do.
            target: the resource or backup.
            options: others than the usual ones.
            between: what happens to the operation after every call, and beside it.
        """
        operation = Operation(
            id=str(uuid.uuid4()),
            verb=verb,
            backend="freezer",
            implementation="freezer",
            scope="s",
            resource=target.resource if isinstance(target, Backup) else target,
            options={**OPTIONS.get(verb, {}), **(options or {})},
            backup=target if isinstance(target, Backup) else None,
            created_at=self.now,
            deadline=self.now + dt.timedelta(hours=1),
        )
        return self.drive(operation, between)

    def drive(
        self,
        operation: Operation,
        between: Callable[[Operation], Operation] = lambda operation: operation,
    ) -> Operation:
        """Drive an operation until it is released or suspended."""
        for _ in range(STEPS_LIMIT):
            call = next_call(operation, self.now)
            if call is Call.NOTHING:
                return operation
            if call is not Call.WAIT:
                answer = self._call_or_error(call, operation)
                operation = between(self.lifecycle.apply(operation, call, answer, self.now))
            self.now += self.pace
        raise AssertionError(f"not over after {STEPS_LIMIT} calls: {operation}")

    def resume(self, operation: Operation) -> Operation:
        """Go on with an operation that is suspended."""
        return self.drive(self.lifecycle.resume(operation, self.now))

    def _call_or_error(self, call: Call, operation: Operation) -> Any:
        if call is Call.ADVANCE:
            return None
        try:
            return self.make_call(call, operation)
        except KarborBackupError as error:
            return error

    def make_call(self, call: Call, operation: Operation) -> Progress | bool:
        """Make one call as a process makes it that has never seen the operation."""
        match call:
            case Call.VERB:
                return self.new_workflow().execute(operation)
            case Call.POLL:
                return self.poll(operation)
            case Call.RELEASE:
                return self.new_workflow().revert(operation)
            case _:
                return False

    def poll(self, operation: Operation) -> Progress:
        """Let the scheduler work and poll one operation."""
        self.scheduler.run_jobs()
        return self.new_workflow().status([operation])[operation.id]

    def new_workflow(self) -> Workflow[FreezerCall]:
        """Return the workflow of a process that has just begun."""
        return create_workflow(self.new_context(), self.steps)


def repeat_call(harness: WorkflowHarness, operation: Operation) -> Operation:
    """Make the call that is next, forget its answer, and let the next attempt come."""
    if operation.state is State.SUBMITTING:
        with contextlib.suppress(Transient):
            harness.make_call(Call.VERB, operation)
        return attrs.evolve(operation, attempt=operation.attempt + 1)
    return operation
