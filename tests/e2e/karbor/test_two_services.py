"""Two protection services of one Karbor: one database, one bank, one real Freezer.

Each is a whole Karbor, whose API calls its own protection service; so a test says which of the two
does what. In a deployment the message queue chooses.
"""

import concurrent.futures
import shutil
import signal
import subprocess
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from sandbox import Sandbox
from sandbox.environments import Environment
from sandbox.mariadb import MariaDb
from tests.e2e.karbor.karbor_service import KarborService, wait_until
from tests.e2e.karbor.test_freezer import KarborFreezerHarness, start_bench
from tests.support.schedulers import paused_scheduler

NAMES = ("first", "second")

_CREATE_DATABASE = """
import sys
import sqlalchemy
server = sqlalchemy.create_engine(sys.stdin.read())
server.execute(f"CREATE DATABASE {sys.argv[1]} CHARACTER SET utf8mb3")
"""


@pytest.fixture
def database(sandbox: Sandbox, full_karbor: Environment) -> str:
    """Return the URL of an empty database that takes writes of several processes at once.

    SQLite refuses one of two transactions that have read before they write, without a wait.
    """
    server: MariaDb = sandbox.part("mariadb")
    name = f"karbor_{uuid.uuid4().hex[:8]}"
    done = subprocess.run(
        [full_karbor.python, "-c", _CREATE_DATABASE, name],
        input=server.url("mysql"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return server.url(name)


@pytest.fixture
def pair(
    make_karbor: Callable[..., KarborService], sandbox: Sandbox, tmp_path: Path, database: str
) -> tuple[KarborFreezerHarness, KarborFreezerHarness]:
    """Two services over the same database and bank, each with the same provider."""
    harness = start_bench(make_karbor, sandbox, tmp_path, database=database)
    karbor = harness.karbor
    other = make_karbor(karbor.environ, karbor.more, shared=karbor.folder, database=database)
    other.add_provider("freezer", (karbor.folder / "providers.d" / "freezer.conf").read_text())
    other.start()
    return harness, attrs.evolve(harness, karbor=other)


def run_concurrently(*calls: Callable[[], Any]) -> list[Any]:
    """Make calls at the same time; return what they return."""
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(lambda call: call(), calls))


def test_two_services_use_one_bank_concurrently(
    pair: tuple[KarborFreezerHarness, KarborFreezerHarness],
) -> None:
    one, other = pair
    trees = {name: one.make_tree(name, name.encode()) for name in NAMES}
    makers = pair * len(NAMES)
    checkpoints = [each.protect(name) for each, name in zip(makers, sorted(NAMES * 2), strict=True)]
    provider = one.provider
    # Each waits for its own: a file-system bank shows another process half an index while that is
    # written, and Karbor's API then answers 400.
    assert run_concurrently(
        *(
            lambda m=m, c=c: m.karbor.wait_until_settled(provider, c)
            for m, c in zip(makers, checkpoints, strict=True)
        )
    ) == ["available"] * len(checkpoints)
    assert len(one.list_containers()) == len(checkpoints)

    for tree in trees.values():
        shutil.rmtree(tree)
    restored = run_concurrently(
        lambda: other.karbor.restore(provider, checkpoints[0]),
        lambda: one.karbor.restore(provider, checkpoints[3]),
    )
    assert [each["status"] for each in restored] == ["success", "success"]
    assert [(tree / "sub" / "file").read_bytes() for tree in trees.values()] == [
        b"first",
        b"second",
    ]

    # Each deletes what the other has made.
    assert run_concurrently(
        *(lambda c=c: other.karbor.delete(provider, c) for c in checkpoints[:2]),
        *(lambda c=c: one.karbor.delete(provider, c) for c in checkpoints[2:]),
    ) == ["deleted"] * len(checkpoints)
    assert one.list_containers() == []
    assert one.list_freezer_entries() == []


def test_operations_of_a_killed_service_are_recovered_beside_the_other(
    pair: tuple[KarborFreezerHarness, KarborFreezerHarness],
) -> None:
    one, other = pair
    provider = one.provider
    for name in NAMES:
        one.make_tree(name, name.encode())
    with paused_scheduler(one.sandbox):
        left = one.protect("first")
        wait_until(lambda: one.list_freezer_entries() != [], "the job")
        one.karbor.stop(signal.SIGKILL)

    # The other one works meanwhile, and what it does is left alone.
    beside = other.protect("second")
    recovered = other.karbor.recover(provider)
    assert f"{left}: protecting -> available" in recovered.stdout, recovered.stderr
    assert f"{beside}: protecting -> error" not in recovered.stdout
    assert other.karbor.wait_until_settled(provider, beside) == "available"
    assert other.karbor.status(provider, left) == "available"

    shutil.rmtree(one.folder)
    for checkpoint in (left, beside):
        assert other.karbor.restore(provider, checkpoint)["status"] == "success"
        assert other.karbor.delete(provider, checkpoint) == "deleted"
    assert one.list_freezer_entries() == []
    assert other.karbor.recover(provider).stdout == "nothing to recover\n"


def test_recovery_does_not_end_a_restore_of_the_other_service(
    pair: tuple[KarborFreezerHarness, KarborFreezerHarness],
) -> None:
    one, other = pair
    provider = one.provider
    tree = one.make_tree("first", b"precious")
    checkpoint = one.protect("first")
    assert one.karbor.wait_until_settled(provider, checkpoint) == "available"
    one.karbor.stop()
    assert one.karbor.recover(provider).stdout == "nothing to recover\n"
    assert not _holds_lease(one.karbor.bank), "who has ended is forgotten"
    shutil.rmtree(tree)
    with paused_scheduler(one.sandbox):
        record = other.karbor.begin("restore", provider, checkpoint)
        wait_until(lambda: _holds_lease(one.karbor.bank), "the process to show itself")
        recovered = other.karbor.recover(provider)
    assert "in_progress -> fail" not in recovered.stdout
    wait_until(
        lambda: other.karbor.record("restore", record)["status"] != "in_progress", "the restore"
    )
    assert other.karbor.record("restore", record)["status"] == "success"
    assert (tree / "sub" / "file").read_bytes() == b"precious"


def _holds_lease(bank: Path) -> bool:
    return any(path.is_file() for path in bank.glob("*/karbor-backup/owners/*"))
