"""The subject: a plan protected by Karbor's own flow through the glue, in Karbor's environment.

Everything between the checkpoint's creation and its last status is Karbor's: registry, bank, graph,
flow and engine. The two tasks at a flow's ends need its database and are left out.
"""

import functools
import os
import tempfile
import uuid
from pathlib import Path
from typing import Any

import eventlet

eventlet.monkey_patch()

from karbor.common import constants  # noqa: E402
from karbor.resource import Resource  # noqa: E402
from karbor.services.protection import graph, provider, resource_flow  # noqa: E402
from karbor.services.protection.flows import workflow  # noqa: E402
from oslo_config import cfg  # noqa: E402
from oslo_context import context as oslo_context  # type: ignore[import-not-found]  # noqa: E402

from benchmarks.freezer.greenthread_blocking import measure_blocking  # noqa: E402
from benchmarks.freezer.subject_protocol import SubjectSession  # noqa: E402

DIRECTORY = "Freezer::FileSystem::Directory"

_PROVIDER = """\
[provider]
name = measured
description = measured
id = {id}
plugin = karbor-freezer-protection-plugin
bank = karbor-fs-bank-plugin
enabled = True
[freezer_protection_plugin]
cloud = {cloud}
freezer_endpoint = {endpoint}
scheduler_client_id = {client}
storage = swift
[file_system_bank_plugin]
file_system_bank_path = {folder}/bank
bank_object_container = karbor
"""


def main() -> None:
    """Protect a plan of as many directories as are asked for."""
    subject = SubjectSession()
    os.environ["OS_CLIENT_CONFIG_FILE"] = subject.request["clouds"]
    with tempfile.TemporaryDirectory() as folder:
        loaded = _load_provider(Path(folder), subject.request)
        with measure_blocking() as block:
            subject.measure_verb("protect", functools.partial(_protect, loaded, subject.request))
    subject.print_results(blocked=block.seconds)


def _load_provider(folder: Path, request: Any) -> Any:
    text = _PROVIDER.format(id=uuid.uuid4(), folder=folder, **request)
    providers = folder / "providers.d"
    providers.mkdir()
    (providers / "measured.conf").write_text(text)
    cfg.CONF([], project="karbor", default_config_files=[])
    cfg.CONF.set_override("provider_config_dir", str(providers))
    (loaded,) = provider.ProviderRegistry().providers.values()
    return loaded


def _protect(loaded: Any, request: Any, _known: dict[str, float]) -> None:
    resources = [
        Resource(DIRECTORY, str(number), str(number), {"path": f"/srv/data/{number}"})
        for number in range(request["count"])
    ]
    context = oslo_context.RequestContext(
        user_id="u", project_id=request["project_id"], is_admin=True
    )
    plan = {
        "id": "plan",
        "name": "plan",
        "provider_id": loaded.id,
        "project_id": request["project_id"],
        "resources": [each.to_dict() for each in resources],
    }
    checkpoint = loaded.get_checkpoint_collection().create(
        plan, {"status": constants.CHECKPOINT_STATUS_PROTECTING}
    )
    checkpoint.resource_graph = graph.build_graph(set(resources), lambda _: [])
    checkpoint.commit()
    _run_flow(loaded, checkpoint, context)
    for each in resources:
        status = checkpoint.get_resource_bank_section(each.id).get_object("status")
        if status != constants.RESOURCE_STATUS_AVAILABLE:
            raise RuntimeError(f"resource {each.id} is {status}")


def _run_flow(loaded: Any, checkpoint: Any, context: Any) -> None:
    engine = workflow.TaskFlowEngine()
    parameters = {DIRECTORY: {"backup_name": "nightly"}}
    flow = resource_flow.build_resource_flow(
        constants.OPERATION_PROTECT,
        context,
        engine,
        loaded.load_plugins(),
        checkpoint.resource_graph,
        parameters,
    )
    store = {"context": context, "checkpoint": checkpoint, "operation_log": {}}
    engine.run_engine(engine.get_engine(flow, store=store))


if __name__ == "__main__":
    main()
