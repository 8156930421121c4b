"""Karbor's real parts in one process, for scenarios: registry, bank, graph, flows and engine.

Karbor's own first and last tasks of a flow need its database, which does not load on the newest
dependencies. What they do to the checkpoint is said here again; everything between is Karbor's.
"""

import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from karbor.common import constants
from karbor.resource import Resource
from karbor.services.protection import graph, provider, resource_flow
from karbor.services.protection.flows import workflow
from oslo_config import cfg
from oslo_context import context as oslo_context
from taskflow import task

from karbor_backup_fake import FakeCloud, named_cloud

PROJECT = "0123456789abcdef0123456789abcdef"
TYPES = {
    "project": "OS::Keystone::Project",
    "server": "OS::Nova::Server",
    "volume": "OS::Cinder::Volume",
    "image": "OS::Glance::Image",
    "network": "OS::Neutron::Network",
    "directory": "Freezer::FileSystem::Directory",
}
CHILDREN = {"project-1": ("server-1", "volume-2"), "server-1": ("volume-1",)}
"""What belongs to what in a furnished cloud."""


class _FlowTask(task.Task):
    def __init__(
        self, name: str, do: Callable[[], None] | None, undo: Callable[[], None] | None
    ) -> None:
        super().__init__(name=name)
        self._do, self._undo = do, undo

    def execute(self) -> None:
        if self._do:
            self._do()

    def revert(self, *_: Any, **__: Any) -> None:
        if self._undo:
            self._undo()


class FakeRecord:
    """Stands in for Karbor's records of restores and verifications, which need its database."""

    def __init__(self) -> None:
        self.id = str(uuid.uuid4())
        self.statuses: dict[str, str] = {}
        self.reasons: dict[str, str] = {}

    def update_resource_status(self, kind: str, id_: str, status: str, reason: str = "") -> None:
        self.statuses[f"{kind}#{id_}"] = status
        self.reasons[f"{kind}#{id_}"] = reason

    def save(self) -> None:
        pass


@attrs.define
class FlowResult:
    """How a flow ended.

    Attributes:
        checkpoint: its checkpoint's id.
        status: the checkpoint's status after it.
        error: what left the engine, as text.
        record: of a restore or verification.
        new_resources: what a restore told other plugins.
    """

    checkpoint: str
    status: str
    error: str
    record: FakeRecord
    new_resources: dict[str, str]


def make_resource(id_: str, **extra: Any) -> Any:
    """Karbor's resource of an id such as ``volume-1``."""
    return Resource(TYPES[id_.partition("-")[0]], id_, id_, extra or None)


@attrs.define
class KarborHarness:
    """A Karbor with one provider."""

    provider: Any
    cloud: FakeCloud
    bank: Path
    context: Any
    extra: dict[str, Any] = attrs.field(factory=dict)

    def protect(
        self,
        *ids: str,
        parameters: Mapping[str, Any] | None = None,
        family: Mapping[str, Sequence[str]] | None = None,
    ) -> FlowResult:
        """Protect resources, with all that belongs to them."""
        return self.protect_checkpoint(self.new_checkpoint(*ids, family=family), parameters)

    def protect_checkpoint(
        self, checkpoint: Any, parameters: Mapping[str, Any] | None = None
    ) -> FlowResult:
        """Run the flow that protects what a new checkpoint is for."""
        return self._run_flow(
            constants.OPERATION_PROTECT,
            checkpoint,
            parameters=parameters,
            last=_status_setter(checkpoint, constants.CHECKPOINT_STATUS_AVAILABLE),
            undo=_status_setter(checkpoint, constants.CHECKPOINT_STATUS_ERROR),
        )

    def new_checkpoint(self, *ids: str, family: Mapping[str, Sequence[str]] | None = None) -> Any:
        """Make a checkpoint as Karbor does before the first hook."""
        plan = {
            "id": "plan",
            "name": "plan",
            "provider_id": self.provider.id,
            "project_id": PROJECT,
            "resources": [make_resource(each).to_dict() for each in ids],
        }
        checkpoint = self.provider.get_checkpoint_collection().create(
            plan, {"status": constants.CHECKPOINT_STATUS_PROTECTING}
        )
        belongs = CHILDREN if family is None else family
        nodes = graph.build_graph(
            {make_resource(each, **self.extra.get(each, {})) for each in ids},
            lambda node: [make_resource(child) for child in belongs.get(node.id, ())],
        )
        checkpoint.resource_graph = nodes
        checkpoint.commit()
        return checkpoint

    def restore(self, done: FlowResult, parameters: Mapping[str, Any] | None = None) -> FlowResult:
        """Restore a checkpoint."""
        checkpoint = self.load_checkpoint(done)
        return self._run_flow(constants.OPERATION_RESTORE, checkpoint, parameters=parameters)

    def verify(self, done: FlowResult) -> FlowResult:
        """Verify a checkpoint."""
        return self._run_flow(constants.OPERATION_VERIFY, self.load_checkpoint(done))

    def delete(self, done: FlowResult) -> FlowResult:
        """Delete a checkpoint."""
        checkpoint = self.load_checkpoint(done)
        return self._run_flow(
            constants.OPERATION_DELETE,
            checkpoint,
            first=_status_setter(checkpoint, constants.CHECKPOINT_STATUS_DELETING),
            last=checkpoint.delete,
            undo=_status_setter(checkpoint, constants.CHECKPOINT_STATUS_ERROR_DELETING),
        )

    def delete_id(self, checkpoint_id: str) -> FlowResult:
        """Delete a checkpoint that no flow has worked on."""
        return self.delete(FlowResult(checkpoint_id, "", "", FakeRecord(), {}))

    def load_plugin(self, id_: str) -> Any:
        """Return a new plugin object for a resource, as Karbor makes them."""
        return self.provider.load_plugins()[make_resource(id_).type]

    def call_hook(self, operation: Any, hook: str, done: FlowResult, id_: str) -> None:
        """Call one hook as Karbor's tasks do."""
        record = FakeRecord()
        getattr(operation, hook)(
            checkpoint=self.load_checkpoint(done),
            resource=make_resource(id_),
            context=self.context,
            parameters={},
            operation_log={},
            restore=record,
            verify=record,
            new_resources={},
        )

    def copy_checkpoint(self, done: FlowResult) -> FlowResult:
        """Copy a checkpoint."""
        return self._run_flow(constants.OPERATION_COPY, self.load_checkpoint(done))

    def load_checkpoint(self, done: FlowResult) -> Any:
        """Karbor's object for a checkpoint, read anew."""
        return self.provider.get_checkpoint(done.checkpoint)

    def list_objects(self, done: FlowResult, id_: str) -> set[str]:
        """Return the names of what the bank holds of a resource."""
        section = self.load_checkpoint(done).get_resource_bank_section(id_)
        return set(section.list_objects())

    def read_status(self, done: FlowResult, id_: str) -> str:
        """Return a resource's status in the bank."""
        return str(self.load_checkpoint(done).get_resource_bank_section(id_).get_object("status"))

    def _run_flow(
        self,
        verb: str,
        checkpoint: Any,
        *,
        parameters: Mapping[str, Any] | None = None,
        first: Callable[[], None] | None = None,
        last: Callable[[], None] | None = None,
        undo: Callable[[], None] | None = None,
    ) -> FlowResult:
        engine = workflow.TaskFlowEngine()
        done = FlowResult(checkpoint.id, "", "", FakeRecord(), {})
        given = dict(parameters or {})
        if verb == constants.OPERATION_COPY:
            given |= {"checkpoint": checkpoint, "checkpoint_copy": checkpoint, "operation_log": {}}
        flow = engine.build_flow(f"{verb}_{checkpoint.id}", "linear")
        engine.add_tasks(
            flow,
            _FlowTask("first", first, undo),
            resource_flow.build_resource_flow(
                verb,
                self.context,
                engine,
                self.provider.load_plugins(),
                checkpoint.resource_graph,
                given,
            ),
            _FlowTask("last", last, None),
        )
        store = {
            "context": self.context,
            "checkpoint": checkpoint,
            "operation_log": {},
            "restore": done.record,
            "verify": done.record,
            "new_resources": done.new_resources,
            "checkpoint_copy": checkpoint,
        }
        try:
            engine.run_engine(engine.get_engine(flow, store=store))
        except Exception as error:  # noqa: BLE001 - Karbor's worker takes whatever comes
            done.error = str(error)
        done.status = self.load_checkpoint(done).status
        return done


def _status_setter(checkpoint: Any, status: str) -> Callable[[], None]:
    def write() -> None:
        checkpoint.status = status
        checkpoint.commit()

    return write


@pytest.fixture
def make_harness(tmp_path: Path) -> Callable[..., KarborHarness]:
    """Make a Karbor whose provider's file has these further lines."""

    def make(
        plugin: str = "karbor-backup-protection-plugin",
        karbor_conf: Sequence[str] = (),
        bank_plugin: str = "karbor-fs-bank-plugin",
        **sections: str,
    ) -> KarborHarness:
        folder = tmp_path / f"providers-{uuid.uuid4().hex[:8]}"
        folder.mkdir()
        bank = tmp_path / "bank"
        text = f"""\
[provider]
name = under test
description = under test
id = {uuid.uuid4()}
plugin = {plugin}
bank = {bank_plugin}
enabled = True
[file_system_bank_plugin]
file_system_bank_path = {bank}
bank_object_container = karbor
"""
        for name, lines in sections.items():
            text += f"[{name}]\n{lines}\n"
        (folder / "under-test.conf").write_text(text)
        cfg.CONF([], project="karbor", default_config_files=list(karbor_conf))
        cfg.CONF.set_override("provider_config_dir", str(folder))
        (loaded,) = provider.ProviderRegistry().providers.values()
        context = oslo_context.RequestContext(user_id="u", project_id=PROJECT, is_admin=True)
        return KarborHarness(loaded, named_cloud(folder.name), bank, context)

    return make


@pytest.fixture
def harness(make_harness: Callable[..., KarborHarness], tmp_path: Path) -> Iterator[KarborHarness]:
    """Yield a Karbor over the fake backend, with a cloud of its own that is found by name."""
    settings = tmp_path / "fake.toml"
    new_harness = make_harness(
        karbor_backup_plugin=f"backend = fake\npoll_interval = 0\nconfiguration_file = {settings}"
    )
    settings.write_text(f'cloud = "{new_harness.cloud.name}"\n')
    yield new_harness
    assert not new_harness.cloud.faults.unfired()
