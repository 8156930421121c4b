"""A peer: the Freezer plugin that Karbor 1.6.0 ships, in Karbor's own environment.

Its hooks are called in greenthreads, as Karbor calls them, with a bank that is a dictionary. It
imports a freezerclient that is no more, so version 2 takes that one's place. Each volume gets a
storage object of its own: the shared one makes container names grow with each volume, until at the
seventh Freezer refuses them.
"""

import functools
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import eventlet

eventlet.monkey_patch()

import freezerclient.v2.client  # noqa: E402

sys.modules["freezerclient.v1"] = freezerclient.v2
sys.modules["freezerclient.v1.client"] = freezerclient.v2.client

from karbor.resource import Resource  # noqa: E402
from karbor.services.protection.client_factory import ClientFactory  # noqa: E402
from karbor.services.protection.protection_plugins.volume import (  # noqa: E402
    volume_freezer_plugin as plugin,
)
from keystoneauth1.identity.v3 import Password  # noqa: E402
from keystoneauth1.session import Session  # noqa: E402

from benchmarks.freezer.greenthread_blocking import measure_blocking  # noqa: E402
from benchmarks.freezer.subject_protocol import SubjectSession  # noqa: E402

POLL_INTERVAL = 20
"""Seconds; the plugin's default."""


class DictSection(dict[str, Any]):
    """A resource's section of the bank."""

    update_object = dict.__setitem__
    get_object = dict.get
    delete_object = dict.pop


class InMemoryCheckpoint:
    """A checkpoint with its part of the bank."""

    id = "11111111-2222-3333-4444-555555555555"

    def __init__(self) -> None:
        self._sections: dict[str, DictSection] = {}

    def get_resource_bank_section(self, resource_id: str) -> DictSection:
        """Return a resource's section, made at the first use."""
        return self._sections.setdefault(resource_id, DictSection())


def main() -> None:
    """Do the operations that are asked for, all of a verb at once."""
    subject = SubjectSession()
    request = subject.request
    credentials = Password(
        auth_url=request["auth_url"],
        username=request["user"],
        password=request["password"],
        project_name=request["project"],
        user_domain_id="default",
        project_domain_id="default",
    )
    session = Session(auth=credentials)
    session.get_token()
    ClientFactory.create_client = lambda *_, **__: freezerclient.v2.client.Client(
        session=session, endpoint=request["endpoint"]
    )
    checkpoint = InMemoryCheckpoint()
    with measure_blocking() as block:
        for verb in request["verbs"]:
            subject.measure_verb(verb, functools.partial(_run_verb, verb, checkpoint, request))
    subject.print_results(blocked=block.seconds)


def _run_verb(
    verb: str, checkpoint: InMemoryCheckpoint, request: Any, known: dict[str, float]
) -> None:
    plugin.get_job_status = _record_end_times(original_get_job_status, known)
    pool = eventlet.GreenPool(request["count"])
    begun = [
        pool.spawn(
            operation.on_main,
            checkpoint=checkpoint,
            resource=Resource("OS::Cinder::Volume", str(number), str(number), None),
            context=None,
            parameters={"backup_name": "nightly"},
        )
        for number, operation in enumerate(_make_operations(verb, request))
    ]
    for thread in begun:
        thread.wait()


def _make_operations(verb: str, request: Any) -> Iterator[Any]:
    for number in range(request["count"]):
        storage = plugin.FreezerStorage("swift", f"karbor/{number}")
        match verb:
            case "protect":
                yield plugin.ProtectOperation(POLL_INTERVAL, storage, request["client"])
            case "restore":
                yield plugin.RestoreOperation(POLL_INTERVAL)
            case _:
                yield plugin.DeleteOperation(POLL_INTERVAL)


original_get_job_status: Callable[[Any, str], str] = plugin.get_job_status


def _record_end_times(get_status: Callable[[Any, str], str], known: dict[str, float]) -> Any:
    """Note when the plugin learns that a job has ended."""

    def noting(task: Any, job_id: str) -> str:
        status = get_status(task, job_id)
        if status == "success":
            known[job_id] = time.time()
        return status

    return noting


if __name__ == "__main__":
    main()
