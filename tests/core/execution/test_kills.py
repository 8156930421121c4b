"""SIGKILL at each store write of a runner on a real PostgreSQL; another process goes on."""

import contextlib
import itertools
import multiprocessing
import signal
from collections.abc import Iterator

import pytest

from karbor_backup_core.stores.sql import SQLStore
from karbor_backup_fake import FakeCloud
from tests.core.execution import killed_runner
from tests.core.execution.killed_runner import CLOUD_NAME, VOLUMES
from tests.support.postgresql import postgresql

LONG = 300.0


class KillHarness:
    """A cloud, a store on PostgreSQL, and processes that die while they use both.

    Attributes:
        cloud: the cloud, which outlives every process.
        store: this process's own connection to the store.
    """

    def __init__(self, url: str, store: SQLStore) -> None:
        self.cloud = FakeCloud(CLOUD_NAME)
        self.store = store
        self._url = url
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload([killed_runner.__name__])
        for volume in VOLUMES:
            self.cloud.add_resource(volume, b"x")

    def run_until_killed(self, address: str, fatal_step: int) -> tuple[int | None, list[str]]:
        """Run a process that dies at that step of its writes, unless it ends before.

        Returns:
            Its exit code, and the ids of the operations that it had submitted.
        """
        receiver, sender = self._processes.Pipe(duplex=False)
        worker = self._processes.Process(
            target=killed_runner.run_and_crash, args=(self._url, address, fatal_step, sender)
        )
        worker.start()
        sender.close()
        submitted = []
        try:
            with contextlib.suppress(EOFError):
                while True:
                    submitted.append(receiver.recv())
            worker.join(LONG)
        finally:
            worker.kill()
            worker.join()
        return worker.exitcode, submitted

    def resume_unowned(self) -> int:
        """Resume what no process drives, to its end; return how many operations that were."""
        with killed_runner.create_runner(self.store, self.cloud) as runner:
            futures = killed_runner.resume_unowned(runner, self.store)
            assert all(future.result(LONG).succeeded for future in futures)
        return len(futures)

    def check_consistency(self, submitted: list[str]) -> None:
        """Check that nothing is doubled, lost or left."""
        operations = self.store.operations()
        assert {each.id for each in operations} >= set(submitted)
        assert all(each.succeeded and not each.owner for each in operations)
        assert self.cloud.jobs() == []
        assert set(self.cloud.started) == {(each.id, 1) for each in operations}
        assert set(self.cloud.started.values()) <= {1}
        backups = {each.id for each in self.store.backups()}
        assert backups == {each.id for each in operations}
        assert {each.operation for each in self.cloud.copies()} == backups
        assert len(self.cloud.copies()) == len(backups)


@pytest.fixture
def harness() -> Iterator[KillHarness]:
    with postgresql() as server, contextlib.closing(SQLStore(server.url)) as store:
        yield KillHarness(server.url, store)


def test_nothing_is_doubled_lost_or_left_after_kills_at_any_write(harness: KillHarness) -> None:
    resumed = []
    with killed_runner.serve_cloud(harness.cloud) as address:
        for step in itertools.count(1):
            # The second process resumes what the first one has left, and dies as well.
            runs = [harness.run_until_killed(address, step) for _ in range(2)]
            resumed.append(harness.resume_unowned())
            harness.check_consistency([id_ for _, submitted in runs for id_ in submitted])
            exit_codes = {exit_code for exit_code, _ in runs}
            if exit_codes == {0}:
                break
            assert exit_codes <= {0, -signal.SIGKILL}
    assert resumed[-1] == 0
    assert sum(resumed) > len(VOLUMES)
