"""Two protection services of one Karbor behind a real message queue, which chooses between them."""

import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest

from sandbox import Sandbox
from tests.e2e.karbor.conftest import directories, full_karbor, make_karbor
from tests.e2e.karbor.karbor_service import KarborService, wait_until
from tests.e2e.karbor.test_freezer import KarborFreezerHarness, start_bench

__all__ = ["directories", "full_karbor", "make_karbor"]

NAMES = ("first", "second")


@pytest.fixture
def pair(
    cloud: Sandbox, make_karbor: Callable[..., KarborService], tmp_path: Path
) -> tuple[KarborFreezerHarness, KarborFreezerHarness]:
    """Two services over one database, one bank and one queue, each with the same provider."""
    transport = cloud.part("rabbitmq").url
    one = start_bench(make_karbor, cloud, tmp_path, transport=transport)
    karbor = one.karbor
    other = make_karbor(karbor.environ, karbor.more, shared=karbor.folder, transport=transport)
    other.add_provider("freezer", (karbor.folder / "providers.d" / "freezer.conf").read_text())
    other.start()
    return one, attrs.evolve(one, karbor=other)


def test_other_service_recovers_operations_of_a_killed_one(
    pair: tuple[KarborFreezerHarness, KarborFreezerHarness],
) -> None:
    one, other = pair
    provider = one.provider
    trees = {name: one.make_tree(name, name.encode()) for name in NAMES}
    offered = other.list_protectables()
    plans = {name: other.karbor.plan(provider, [offered[name]]) for name in NAMES}
    # The queue gives requests in turn: two protects, one after the other, keep both at work.
    checkpoints = {name: other.karbor.protect(provider, plans[name]) for name in NAMES}
    wait_until(lambda: len(one.list_freezer_entries()) >= len(NAMES), "the jobs")
    one.karbor.stop(signal.SIGKILL)

    time.sleep(3)  # the lease of the dead process, and one second
    recovered = other.karbor.recover(provider)
    wait_until(
        lambda: all(
            other.karbor.status(provider, each) != "protecting" for each in checkpoints.values()
        ),
        "the checkpoints",
    )
    left = [
        each
        for each in checkpoints.values()
        if f"{each}: protecting -> available" in recovered.stdout
    ]
    # On a busy machine the lease of the living one may lapse as well, or its protect end meanwhile.
    assert left, (recovered.stdout, recovered.stderr)
    assert "not put right" not in recovered.stderr
    for tree in trees.values():
        shutil.rmtree(tree)
    for name, checkpoint in checkpoints.items():
        assert other.karbor.status(provider, checkpoint) == "available"
        assert other.karbor.restore(provider, checkpoint)["status"] == "success"
        assert (trees[name] / "sub" / "file").read_bytes() == name.encode()
        assert other.karbor.delete(provider, checkpoint) == "deleted"
    assert one.list_freezer_entries() == []
    assert one.list_containers() == []
    assert other.karbor.recover(provider).stdout == "nothing to recover\n"
