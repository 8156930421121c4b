"""Leases on a store with a clock of its own, seen by processes whose clocks are wrong."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from karbor_backup_core import (
    Backend,
    Conflict,
    Driver,
    Lifecycle,
    Policy,
    Resource,
    plan_protect,
)
from karbor_backup_core.stores.sql import SQLStore
from karbor_backup_fake import FakeBackend, FakeCloud

VOLUME = Resource("OS::Cinder::Volume", "v1")
LEASE = timedelta(minutes=10)
HOUR = timedelta(hours=1)


def create_driver(store: SQLStore, cloud: FakeCloud, ahead: timedelta) -> Driver:
    """Make a process whose clock is that much ahead of this machine's."""
    backend = Backend.from_plugin("cloud", FakeBackend({}, cloud=cloud))
    lifecycle = Lifecycle(Policy(lease=LEASE))
    return Driver(store, {"cloud": backend}, lifecycle, lambda: datetime.now(UTC) + ahead)


@pytest.mark.parametrize("ahead", [HOUR, 48 * HOUR, -24 * HOUR])
@pytest.mark.parametrize("whose", ["owner", "other"])
def test_process_with_a_wrong_clock_takes_no_operation_of_a_live_one(
    new_postgresql_url: Callable[[], str],
    open_store: Callable[[str], SQLStore],
    whose: str,
    ahead: timedelta,
) -> None:
    store, cloud = open_store(new_postgresql_url()), FakeCloud("here")
    cloud.add_resource(VOLUME, b"x")
    right, wrong = timedelta(), ahead
    ours, theirs = (wrong, right) if whose == "owner" else (right, wrong)
    owner, other = create_driver(store, cloud, ours), create_driver(store, cloud, theirs)
    planned = plan_protect(
        owner.backends["cloud"],
        VOLUME,
        {"backup_name": "n"},
        now=owner.clock(),
        deadline=HOUR,
    )
    held = owner.add(planned)
    with pytest.raises(Conflict, match="is driven by process"):
        other.acquire(store.operation(held.id))
    assert store.operation(held.id).version == held.version
    assert other.acquire(owner.release_lease(held)).owner == other.owner
