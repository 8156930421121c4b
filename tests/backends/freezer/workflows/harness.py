"""A Freezer in this process with one scheduler and the scripted agent, and a core that drives it.

The cloud is the scripted one, asked by the real openstacksdk. A job is run when a test says so,
as freezer-scheduler 19.0.0 does it: action after action, none after one that failed.
"""

import contextlib
import datetime as dt
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    next_call,
)
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.workflows.context import WorkflowContext
from karbor_backup_freezer.workflows.delete import Delete
from karbor_backup_freezer.workflows.polling import JobPoller
from karbor_backup_freezer.workflows.protect import Protect
from karbor_backup_freezer.workflows.release import Releaser
from karbor_backup_freezer.workflows.restore import Restore
from karbor_backup_freezer.workflows.verify import Verify
from tests.backends.freezer.restore.harness import PROJECT, SERVER, VOLUME, RestoreHarness
from tests.backends.freezer.stub_cloud import PROJECT_ID
from tests.support.scripted_agent.agent import ScriptedAgent, parse_action
from tests.support.scripted_agent.modes import AgentError
from tests.support.scripted_cloud import block_storage, compute
from tests.support.scripted_cloud.defaults import create_defaults
from tests.support.scripted_cloud.state import CloudState, FakeResource

HOST = socket.gethostname()
SCHEDULER = {
    "client_id": "one",
    "supported_actions": ["backup", "restore", "admin"],
    "supported_modes": ["fs", "nova", "cinder", "cindernative", "glance"],
    "supported_storages": ["local"],
    "supported_engines": ["tar", "nova", "glance"],
}
OPTIONS = {Verb.PROTECT: {"backup_name": "nightly"}, Verb.RESTORE: {"restore_name": "new"}}
STEPS_LIMIT = 60
SHOP = Resource(PROJECT, PROJECT_ID, "shop")


class FakeFreezer:
    """Jobs, actions and records, and the scheduler that runs the jobs.

    Args:
        agent: does what actions say.
    """

    predates_19 = False

    def __init__(self, agent: ScriptedAgent) -> None:
        self._agent = agent
        self.jobs: dict[str, dict[str, Any]] = {}
        self.actions: dict[str, dict[str, Any]] = {}
        self.records: dict[str, dict[str, Any]] = {}
        self.created: list[str] = []
        self.refused = 0
        self.hostname = HOST
        self.restored: list[str] = []
        self.hangs = False
        self.breaks: dict[str, str] = {}

    # What the API does.

    def create_job(self, document: dict[str, Any]) -> bool:
        actions = [{**a, "action_id": uuid.uuid4().hex} for a in document["job_actions"]]
        self.actions |= {action["action_id"]: action for action in actions}
        # Freezer keeps the ids of deleted jobs.
        if document["job_id"] in self.created:
            self.refused += 1
            return False
        self.jobs[document["job_id"]] = {**document, "job_actions": actions}
        self.created.append(document["job_id"])
        return True

    def stop_job(self, job_id: str) -> None:
        self.jobs[job_id]["job_schedule"]["status"] = "stop"

    def get_job(self, identifier: str) -> dict[str, Any] | None:
        return self.jobs.get(identifier)

    def get_backup(self, identifier: str) -> dict[str, Any] | None:
        return self.records.get(identifier)

    def iter_entries(self, collection: str) -> Iterator[dict[str, Any]]:
        if collection == "clients":
            return iter([{"client": {**SCHEDULER, "hostname": self.hostname}}])
        return iter([*{"jobs": self.jobs, "backups": self.records}[collection].values()])

    def search(self, collection: str, field: str, value: str) -> Sequence[dict[str, Any]]:
        if collection == "backups":
            return [r for r in self.records.values() if r["backup_metadata"].get(field) == value]
        if collection == "actions":
            return [a for a in self.actions.values() if a["freezer_action"].get(field) == value]
        return [job for job in self.jobs.values() if job[field] == value]

    def overwrite_action(self, action_id: str, action: Mapping[str, Any]) -> None:
        self.actions[action_id]["freezer_action"] = dict(action)

    def delete_entry(self, collection: str, identifier: str) -> None:
        shelf = {"jobs": self.jobs, "actions": self.actions, "backups": self.records}[collection]
        shelf.pop(identifier, None)

    # What the scheduler and its agent do.

    def run_jobs(self) -> None:
        """Run all jobs that wait."""
        for job in self.jobs.values():
            if job["job_schedule"]["event"] != "start":
                continue
            if self.hangs:
                self._begin_job(job)
            else:
                job["job_schedule"] = {
                    "event": "",
                    "status": "completed",
                    "result": self._run_job(job),
                }

    def end_hanging_jobs(self) -> None:
        """End the agents that hang, as somebody who kills them does."""
        self.hangs = False
        for job in self.jobs.values():
            if job["job_schedule"]["status"] == "running":
                job["job_schedule"] = {"event": "", "status": "completed", "result": "aborted"}

    def _begin_job(self, job: dict[str, Any]) -> None:
        job["job_schedule"] = {"event": "", "status": "running", "result": ""}
        told = parse_action(job["job_actions"][0]["freezer_action"])
        if told["action"] == "backup":
            self._agent.back_up(told, whole=False)
        else:
            self._agent.restore(told, whole=False)

    def _run_job(self, job: Mapping[str, Any]) -> str:
        for action in job["job_actions"]:
            told = parse_action(action["freezer_action"])
            try:
                self._fail_if_broken(told)
                self._run_action(job["job_id"], told)
            except AgentError:
                return "fail"
        return "success"

    def _fail_if_broken(self, told: Mapping[str, str]) -> None:
        for value, action in self.breaks.items():
            if value in told.values() and told["action"] == action:
                raise AgentError(value)

    def _run_action(self, job_id: str, told: Mapping[str, str]) -> None:
        match told["action"]:
            case "backup":
                printed = self._agent.back_up(told)
                record = uuid.uuid4().hex
                metadata = {**printed, "job_id": job_id}
                self.records[record] = {"backup_id": record, "backup_metadata": metadata}
            case "restore":
                self._agent.restore(told)
                self.restored.append(told["temp_resource_prefix"])
            case _:
                self._agent.remove(told)


@attrs.define
class WorkflowHarness:
    """The backend's verbs on that Freezer and cloud, driven as the core drives them.

    Attributes:
        cloud: the cloud.
        freezer: Freezer.
        folder: where everything is stored.
        configuration: one local storage.
        now: the driver's clock.
        pace: the time from one call to the next.
        lifecycle: the core's rules.
    """

    cloud: RestoreHarness
    freezer: FakeFreezer
    folder: Path
    configuration: Configuration
    now: dt.datetime = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    pace: dt.timedelta = dt.timedelta(seconds=2)
    lifecycle: Lifecycle = attrs.field(
        factory=lambda: Lifecycle(Policy(unknown_gap=dt.timedelta(seconds=1)))
    )

    @classmethod
    def create(cls, cloud: RestoreHarness, folder: Path) -> "WorkflowHarness":
        cloud.application.world = CloudState(lambda: cloud.time, 0)
        create_defaults(cloud.world)
        agent = ScriptedAgent(folder, HOST, cloud.world, PROJECT_ID)
        disk = {"kind": "local", "path": str(folder)}
        return cls(
            cloud,
            FakeFreezer(agent),
            folder,
            Configuration.from_document({"storages": {"disk": disk}}),
        )

    # Things to protect.

    def create_volume(self, name: str, content: bytes = b"data", **asked: Any) -> Resource:
        thing = block_storage.new_volume(
            self.cloud.world, PROJECT_ID, {"size": 1, "name": name, **asked}
        )
        thing.content = content
        self.cloud.world.run_due()
        return Resource(VOLUME, thing.id, name)

    def create_server(self, name: str, content: bytes = b"system") -> Resource:
        world = self.cloud.world
        thing = compute.new_server(
            world,
            PROJECT_ID,
            {
                "name": name,
                "flavorRef": self.cloud.flavor.id,
                "networks": [{"uuid": self.cloud.network.id}],
                "imageRef": world.images.find_by_name("guest")[0].id,
            },
        )
        thing.content = content
        world.run_due()
        return Resource(SERVER, thing.id, name)

    def read_content(self, resource: Resource) -> bytes:
        shelf = self.cloud.world.volumes if resource.type == VOLUME else self.cloud.world.servers
        thing: FakeResource = shelf.get(resource.id)
        return thing.content

    # The core.

    def new_context(self) -> WorkflowContext:
        """What a process that has just begun works with."""
        return WorkflowContext.create(self.freezer, self.configuration, self.cloud.services)  # type: ignore[arg-type]

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
        """Drive an operation until it is released or parked."""
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
        """Go on with an operation that is parked."""
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
        context = self.new_context()
        match call:
            case Call.VERB:
                verbs = {
                    Verb.PROTECT: Protect,
                    Verb.RESTORE: Restore,
                    Verb.DELETE: Delete,
                    Verb.VERIFY: Verify,
                }
                return verbs[operation.verb](context).execute(operation)
            case Call.POLL:
                self.freezer.run_jobs()
                return JobPoller(context).poll([operation])[operation.id]
            case Call.RELEASE:
                return Releaser(context).release(operation)
            case _:
                return False


def repeat_call(harness: WorkflowHarness, operation: Operation) -> Operation:
    """Make the call that is next, forget its answer, and let the next attempt come."""
    if operation.state is State.SUBMITTING:
        with contextlib.suppress(Transient):
            harness.make_call(Call.VERB, operation)
        return attrs.evolve(operation, attempt=operation.attempt + 1)
    return operation
