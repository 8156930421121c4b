"""The fake cloud as a bench for the contract suite, with every lever that there is."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final

import attrs

from karbor_backup_core import Json, ManualClock, Resource, Secret, Verb
from karbor_backup_core.contract import Bench, Fault, Holdings
from karbor_backup_fake.abilities import PROJECT, SERVER, VOLUME
from karbor_backup_fake.backend import FakeBackend
from karbor_backup_fake.cloud import Cloud
from karbor_backup_fake.faults import ANY, Busy, FailWork, IgnoresCancel, LostReply, Refused, Stall
from karbor_backup_fake.faults import Fault as CloudFault
from karbor_backup_fake.named import named_cloud
from karbor_backup_fake.records import Job

MEMBER: Final = {SERVER: VOLUME, PROJECT: SERVER}
"""What is inside of what."""

TOKEN: Final = "canary-8d1f0c52b7"  # noqa: S105 - it is planted to be searched for
SERVICE_SECONDS: Final = 3
LONG: Final = timedelta(hours=1)


@attrs.frozen
class Stubborn(CloudFault):
    """The job takes an hour, whoever cancels it."""

    def shape(self, job: Job) -> Job:
        """Move the job's end, and make it deaf."""
        return attrs.evolve(job, ends_at=job.started_at + LONG, heeds_cancel=False)


@attrs.frozen
class CloudResources:
    """Resources of a fake cloud. The content of a compound one is spread over its members.

    Attributes:
        cloud: where they are.
    """

    cloud: Cloud

    def make(self, kind: str, name: str, content: bytes) -> Resource:
        """Make a resource with one member, where its type has members."""
        resource = Resource(kind, self.cloud.inventory.new_id("contract"), name)
        members: tuple[Resource, ...] = ()
        if kind in MEMBER:
            members = (self.make(MEMBER[kind], f"{name}'s", content[1:]),)
            content = content[:1]
        return self.cloud.put(resource, content, members)

    def read(self, resource: Resource) -> bytes:
        """Answer the content of a resource, then that of its members."""
        content = self.cloud.content(resource.id)
        members = self.cloud.inventory.asset(resource.id).members
        return content + b"".join(self.read(Resource("", member)) for member in members)

    def write(self, resource: Resource, content: bytes) -> None:
        """Spread other content over a resource and its members."""
        asset = self.cloud.inventory.asset(resource.id)
        for member in asset.members:
            self.write(Resource("", member), content[1:])
            content = content[:1]
        self.cloud.inventory.assets[resource.id] = attrs.evolve(asset, content=content)

    def remove(self, resource: Resource) -> None:
        """Lose a resource with its members."""
        self.cloud.lose(resource.id)


def bench(make: Callable[..., Any] = FakeBackend) -> Bench:
    """Answer a bench on a new cloud whose time the rules turn.

    Args:
        make: makes the backend object from a configuration and a cloud.
    """
    clock = ManualClock()
    cloud = Cloud("bench", clock=clock, service_seconds=SERVICE_SECONDS, token=TOKEN)
    configuration = {"token": Secret(TOKEN)}
    return attrs.evolve(
        _plain_bench(cloud, functools.partial(make, configuration, cloud=cloud)),
        clock=clock,
        faults=_faults(cloud),
        unfired=cloud.faults.unfired,
        elsewhere=lambda: make(configuration, cloud=Cloud("elsewhere", clock=clock, token=TOKEN)),
        secrets=[TOKEN],
    )


@contextlib.contextmanager
def live_bench(configuration: Json) -> Iterator[Bench]:
    """Give a bench on the cloud that a configuration names, which others may use at the time."""
    cloud = named_cloud(configuration.get("cloud", "cloud"))
    yield _plain_bench(cloud, lambda: FakeBackend(configuration))


def _plain_bench(cloud: Cloud, make: Callable[[], Any]) -> Bench:
    return Bench(
        backend=make,
        resources=CloudResources(cloud),
        kinds=(VOLUME, SERVER, PROJECT),
        holdings=lambda: Holdings(
            bookkeeping=(job.id for job in cloud.jobs()),
            data=(*cloud.inventory.copies, *cloud.inventory.assets),
        ),
        compound=tuple(MEMBER),
        phased=(Verb.RESTORE,),
        fenced=True,
    )


def _faults(cloud: Cloud) -> dict[Fault, Callable[[], object]]:
    def planned(request: str, *faults: CloudFault) -> Callable[[], None]:
        return lambda: cloud.faults.plan(request, *faults)

    return {
        Fault.BUSY: planned(ANY, Busy()),
        Fault.REFUSE: planned(ANY, Refused()),
        Fault.LOSE_REPLY: planned("create_job", LostReply()),
        Fault.FAIL: planned("create_job", FailWork()),
        Fault.STUCK: planned("create_job", FailWork(), FailWork()),
        Fault.STALL: planned("create_job", Stall()),
        Fault.DEAF: planned("create_job", IgnoresCancel()),
        Fault.STUBBORN: planned("create_job", Stubborn()),
        Fault.FORGET: lambda: cloud.restart(forget_running=True),
    }
