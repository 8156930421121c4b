"""The Cinder backend's harness: a real Keystone, and a scripted cloud whose time is the rules'."""

import contextlib
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import attrs

from karbor_backup_cinder import CinderBackend
from karbor_backup_contract import Fault, Harness, Inventory
from karbor_backup_core import Json, Resource, Verb
from karbor_backup_openstack.resource_types import PROJECT, SERVER, VOLUME
from tests.e2e.contract.scripted_harness import (
    LONG_SECONDS,
    RULE_TIMEOUT,
    TIMEOUT,
    WORK_SECONDS,
    CallbackClock,
    ScriptedEnvironment,
    SharedTokenSessions,
    request_faults,
)
from tests.e2e.contract.scripted_resources import RESTORED, ScriptedResources
from tests.support import http_faults
from tests.support.fault_proxy import FaultProxy
from tests.support.scripted_cloud import CloudState, WorkOutcome

_BUSY: Final = frozenset({"creating", "backing-up", "restoring", "restoring-backup", "deleting"})
_BEGINS_WORK: Final = r"/volumes$|/snapshots$|/backups$|/restore$|/backups/[^/]+$"


@attrs.frozen
class ScriptedVolumes(ScriptedResources):
    """The resources of a scripted cloud."""

    def new_id(self, kind: str) -> str:  # noqa: ARG002 - the protocol's argument
        """Return an id that no resource has had."""
        return str(uuid.uuid4())

    def list_work(self) -> Iterator[str]:
        """Return what Cinder is at work on."""
        with self.state.lock:
            self.state.run_due()
            for things in (self.state.volumes, self.state.snapshots, self.state.backups):
                for thing in things:
                    if thing.shown["status"] in _BUSY:
                        yield f"{thing.id} {thing.shown['status']}"


@contextlib.contextmanager
def cinder_harness(
    environment: ScriptedEnvironment,
    sessions: SharedTokenSessions,
    folder: Path,
    *,
    kinds: Sequence[str] = (VOLUME, SERVER, PROJECT),
    boots_from_volume: bool = True,
    fresh_login: bool = False,
) -> Iterator[Harness]:
    """Give a harness on an empty cloud.

    Args:
        environment: the cloud.
        sessions: the tokens that are there already.
        folder: an empty one.
        kinds: the types of resources that are tried, the most usual one first.
        boots_from_volume: whether servers do; the others boot from an image.
        fresh_login: whether backends log in by ``clouds.yaml``, each anew.
    """
    session = sessions.new_session()
    clock = CallbackClock()
    state = environment.cloud.renew(clock.seconds, WORK_SECONDS)
    environment.proxy.clear()
    volumes = ScriptedVolumes(
        folder, state, str(session.get_project_id()), boots_from_volume=boots_from_volume
    )

    def inventory() -> Inventory:
        return Inventory(bookkeeping=volumes.list_work(), data=state.inventory)

    def backend(cloud: str = "demo") -> CinderBackend:
        configuration = {"cloud": cloud, "timeout": TIMEOUT}
        session = None if fresh_login else sessions.new_session(cloud)
        return CinderBackend(configuration, session=session)

    yield Harness(
        create_backend=backend,
        resources=volumes,
        resource_types=tuple(kinds),
        compound_types=tuple({PROJECT} & set(kinds)),
        options=_options,
        inventory=inventory,
        clock=clock,
        faults=_fault_actions(environment.proxy, state),
        request_faults=request_faults(environment.proxy),
        pending_faults=lambda: [*environment.proxy.unfired(), *state.planned_work],
        create_backend_in_other_scope=lambda: backend("other"),
        secrets=(environment.sandbox.accounts["demo"].password,),
        multi_phase_verbs=(Verb.PROTECT, Verb.RESTORE, Verb.DELETE),
        dependent_options={"incremental": "always"},
        rule_timeout=RULE_TIMEOUT,
    )


def _options(verb: Verb, resource: Resource) -> Json:
    """Return the options of an operation."""
    is_project = verb is Verb.RESTORE and resource.type == PROJECT
    return {"restore_name": RESTORED} if is_project else {}


def _fault_actions(proxy: FaultProxy, state: CloudState) -> Mapping[Fault, Callable[[], object]]:
    def plan_work(**outcome: object) -> Callable[[], object]:
        return lambda: state.planned_work.append(WorkOutcome(**outcome))  # type: ignore[arg-type]

    def fail_cleanup() -> None:
        state.planned_work.append(WorkOutcome(fails=True))
        state.backup_deletes_fail = True

    return {
        Fault.BUSY: lambda: proxy.plan(http_faults.error_response(503)),
        Fault.REFUSE: lambda: proxy.plan(http_faults.error_response(403)),
        Fault.LOSE_REPLY: lambda: proxy.plan(
            http_faults.lost_reply(), method="POST|DELETE", path=_BEGINS_WORK
        ),
        Fault.FAIL: plan_work(fails=True),
        Fault.FAIL_CLEANUP: fail_cleanup,
        # Cinder heeds no cancel whatever: its usual work goes on to its end.
        Fault.IGNORES_CANCEL: plan_work(),
        Fault.UNCANCELLABLE: plan_work(seconds=LONG_SECONDS),
    }
