"""The fake cloud as a harness for the contract suite, with every optional method."""

import contextlib
import functools
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final

import attrs

from karbor_backup_contract import Fault, Harness, Inventory, WithdrawFault
from karbor_backup_core import Json, ManualClock, Resource, Secret, Verb
from karbor_backup_fake import _serialization
from karbor_backup_fake._abilities import PROJECT, PRUNE, SERVER, VOLUME
from karbor_backup_fake._cloud import FakeCloud
from karbor_backup_fake._model import Job
from karbor_backup_fake._registry import named_cloud
from karbor_backup_fake.faults import (
    ANY,
    Busy,
    CloudFault,
    FailJob,
    IgnoreCancel,
    LostReply,
    Refused,
    StallJob,
)

MEMBER_TYPES: Final = {SERVER: VOLUME, PROJECT: SERVER}
"""What is inside of what."""

PACKAGE: Final = __name__.rpartition(".")[0]
CLOUD_MODULES: Final = ("_cloud", "_indexes", "_inventory", "_job_effects", "_model", "faults")
"""The modules that are the cloud, and not its client."""

TOKEN: Final = "canary-8d1f0c52b7"  # noqa: S105 - it is planted to be searched for
RENEWED_TOKEN: Final = "canary-63e0b7a914"  # noqa: S105 - as above
SOURCE_VAULT: Final = "source"
SERVICE_SECONDS: Final = 3
LONG_SECONDS: Final = timedelta(hours=1)


_REQUEST_FAULTS: Final = {
    Fault.BUSY: Busy(),
    Fault.REFUSE: Refused(),
    Fault.LOSE_REPLY: LostReply(),
}


@attrs.frozen
class Uncancellable(CloudFault):
    """The job takes an hour, whoever cancels it."""

    def modify_job(self, job: Job) -> Job:
        """Move the job's end, and make it ignore cancels."""
        return attrs.evolve(job, ends_at=job.started_at + LONG_SECONDS, heeds_cancel=False)


@attrs.frozen
class CloudResources:
    """Resources of a fake cloud. The content of a compound one is spread over its members.

    Attributes:
        cloud: where they are.
    """

    cloud: FakeCloud

    def create(self, kind: str, name: str, content: bytes) -> Resource:
        """Make a resource with one member, where its type has members."""
        resource = Resource(kind, self.cloud.inventory.new_id("contract"), name)
        members: tuple[Resource, ...] = ()
        if kind in MEMBER_TYPES:
            members = (self.create(MEMBER_TYPES[kind], f"{name}'s", content[1:]),)
            content = content[:1]
        return self.cloud.add_resource(resource, content, members)

    def read(self, resource: Resource) -> bytes:
        """Return the content of a resource, then that of its members."""
        content = self.cloud.read_content(resource.id)
        members = self.cloud.inventory.get_asset(resource.id).members
        return content + b"".join(self.read(Resource("", member)) for member in members)

    def write(self, resource: Resource, content: bytes) -> None:
        """Spread other content over a resource and its members."""
        asset = self.cloud.inventory.get_asset(resource.id)
        for member in asset.members:
            self.write(Resource("", member), content[1:])
            content = content[:1]
        self.cloud.inventory.assets[resource.id] = attrs.evolve(asset, content=content)

    def delete(self, resource: Resource) -> None:
        """Lose a resource with its members."""
        self.cloud.remove_resource(resource.id)


def create_harness(make: Callable[..., Any], work_limit: int | None = None) -> Harness:
    """Return a harness on a new cloud whose time the rules turn.

    Args:
        make: makes the backend object from a configuration and a cloud, as ``FakeBackend`` does.
        work_limit: how many jobs the cloud works on at once; None for any number.
    """
    clock = ManualClock()
    cloud = FakeCloud(
        "harness",
        clock=clock,
        service_seconds=SERVICE_SECONDS,
        work_limit=work_limit,
        token=TOKEN,
    )
    configuration = {"token": Secret(TOKEN), "host": "here", "exclusive_prune": True}
    return attrs.evolve(
        _create_base_harness(cloud, functools.partial(make, configuration, cloud=cloud)),
        clock=clock,
        service_modules=[f"{PACKAGE}.{name}" for name in CLOUD_MODULES],
        faults=_create_faults(cloud),
        request_faults={
            fault: functools.partial(_plan_at, cloud, effect)
            for fault, effect in _REQUEST_FAULTS.items()
        },
        pending_faults=cloud.faults.unfired,
        create_backend_in_other_scope=lambda: make(
            configuration, cloud=FakeCloud("elsewhere", clock=clock, token=TOKEN)
        ),
        exclusive_maintenance=[PRUNE],
        create_copy_source=lambda: make({**configuration, "vault": SOURCE_VAULT}, cloud=cloud),
        lose_copy_source=lambda: cloud.lose_vault(SOURCE_VAULT),
        create_backend_in_other_place=lambda: make({**configuration, "host": "there"}, cloud=cloud),
        create_backend_with_renewed_credentials=lambda: make(
            {**configuration, "token": _renew_token(cloud)}, cloud=cloud
        ),
        secrets=[TOKEN],
        reuse_ids=lambda: setattr(cloud.inventory, "reuses_ids", True),
    )


@contextlib.contextmanager
def create_live_harness(make: Callable[[Json], Any], configuration: Json) -> Iterator[Harness]:
    """Return a harness on the cloud that a configuration names, which others may use at the time.

    Args:
        make: makes the backend object from a configuration, as ``FakeBackend`` does.
        configuration: the backend's configuration.
    """
    cloud = named_cloud(configuration.get("cloud", "cloud"))
    vault = f"contract-{uuid.uuid4().hex}"
    yield attrs.evolve(
        _create_base_harness(cloud, lambda: make(configuration)),
        create_copy_source=lambda: make({**configuration, "vault": vault}),
        lose_copy_source=lambda: cloud.lose_vault(vault),
    )


def _create_base_harness(cloud: FakeCloud, make: Callable[[], Any]) -> Harness:
    return Harness(
        create_backend=make,
        resources=CloudResources(cloud),
        resource_types=(VOLUME, SERVER, PROJECT),
        inventory=lambda: Inventory(
            bookkeeping=(job.id for job in cloud.jobs()),
            data=(*cloud.inventory.copies, *cloud.inventory.assets),
        ),
        compound_types=tuple(MEMBER_TYPES),
        multi_phase_verbs=(Verb.RESTORE,),
        rejects_late_calls=True,
        dependent_options={"incremental": True},
        damage=lambda backup: cloud.corrupt_copy(_serialization.read_copy_id(backup.handle)),
    )


def _renew_token(cloud: FakeCloud) -> Secret:
    """Let the cloud take another token only, and return that."""
    cloud.token = RENEWED_TOKEN
    return Secret(RENEWED_TOKEN)


def _plan_at(cloud: FakeCloud, effect: CloudFault, number: int) -> WithdrawFault:
    return cloud.faults.plan_at(number, effect)


def _create_faults(cloud: FakeCloud) -> dict[Fault, Callable[[], object]]:
    def planned(request: str, *faults: CloudFault) -> Callable[[], None]:
        return lambda: cloud.faults.plan(request, *faults)

    return {
        Fault.BUSY: planned(ANY, Busy()),
        Fault.REFUSE: planned(ANY, Refused()),
        Fault.LOSE_REPLY: planned("create_job", LostReply()),
        Fault.FAIL: planned("create_job", FailJob()),
        Fault.FAIL_CLEANUP: planned("create_job", FailJob(), FailJob()),
        Fault.STALL: planned("create_job", StallJob()),
        Fault.IGNORES_CANCEL: planned("create_job", IgnoreCancel()),
        Fault.UNCANCELLABLE: planned("create_job", Uncancellable()),
        Fault.LOSE_WORK: lambda: cloud.restart(forget_running=True),
    }
