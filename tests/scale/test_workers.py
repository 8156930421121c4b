"""Two workers share the operations of a queue; each way to stop one leaves all to the other."""

import os
import signal
from datetime import timedelta

import attrs

from karbor_backup_core import Lease
from karbor_backup_core.owners import new_owner_name
from tests.scale.harness import LONG, WorkerHarness, wait_until
from tests.scale.worker_main import MORTAL_SETTINGS, SETTINGS


def test_worker_drives_queued_operations_to_their_end(harness: WorkerHarness) -> None:
    for _ in range(3):
        harness.add_operation()
    harness.start()
    harness.wait_until_idle()
    harness.check_consistency()


def test_worker_takes_an_operation_that_is_queued_while_it_waits(harness: WorkerHarness) -> None:
    harness.start(wait=True)
    harness.add_operation()
    harness.wait_until_idle()
    harness.check_consistency()


def test_hold_bounds_what_a_worker_drives_at_once(harness: WorkerHarness) -> None:
    harness.add_running_operations(5)
    harness.start(settings=attrs.evolve(SETTINGS, hold=2))
    harness.wait_until_running(2)
    held = [job["status"] for job in harness.jobs()]
    assert sorted(held) == ["doing"] * 2 + ["todo"] * 3


def test_sigterm_hands_back_what_runs_and_another_worker_goes_on(harness: WorkerHarness) -> None:
    harness.add_running_operations(4)
    worker = harness.start()
    harness.wait_until_running(4)
    worker.terminate()
    worker.join(LONG)
    assert worker.exitcode == 0
    assert [job["status"] for job in harness.jobs()] == ["todo"] * 4
    assert all(not each.owner for each in harness.store.operations())
    assert harness.worker_pids() == set()
    harness.finish_work()
    harness.start()
    harness.wait_until_idle()
    harness.check_consistency()


def test_sigkill_is_noticed_and_another_worker_goes_on(harness: WorkerHarness) -> None:
    harness.add_running_operations(4)
    worker = harness.start(settings=MORTAL_SETTINGS)
    harness.wait_until_running(4)
    owners = harness.owners()
    harness.start(settings=MORTAL_SETTINGS, wait=True)
    worker.kill()
    worker.join(LONG)
    wait_until(lambda: not owners & harness.owners())
    harness.finish_work()
    harness.wait_until_idle()
    harness.check_consistency()


def test_worker_paused_past_its_lease_writes_nothing_more(harness: WorkerHarness) -> None:
    harness.add_running_operations(4)
    zombie = harness.start(settings=MORTAL_SETTINGS)
    harness.wait_until_running(4)
    owners = harness.owners()
    harness.start(settings=MORTAL_SETTINGS, wait=True)
    assert zombie.pid is not None
    os.kill(zombie.pid, signal.SIGSTOP)
    wait_until(lambda: not owners & harness.owners())
    # A worker that starts removes the dead ones from the queue.
    harness.wait_until_taken_for_dead(zombie.pid, MORTAL_SETTINGS)
    harness.start(settings=MORTAL_SETTINGS, wait=True)
    assert zombie.pid not in harness.worker_pids()
    os.kill(zombie.pid, signal.SIGCONT)
    # It starts anew, and takes what comes.
    wait_until(lambda: zombie.pid in harness.worker_pids())
    harness.add_operation()
    harness.finish_work()
    harness.wait_until_idle()
    harness.check_consistency()


def test_operation_that_was_never_queued_is_found(harness: WorkerHarness) -> None:
    harness.add_operation(queued=False)
    harness.start()
    harness.wait_until_idle()
    harness.check_consistency()


def test_emptied_queue_is_filled_again(harness: WorkerHarness) -> None:
    for _ in range(3):
        harness.add_operation()
    with harness.database.connect() as connection:
        connection.execute("DELETE FROM procrastinate_jobs")
    harness.start()
    harness.wait_until_idle()
    harness.check_consistency()


def test_queue_emptied_while_workers_hold_jobs_costs_nothing(harness: WorkerHarness) -> None:
    harness.add_running_operations(3)
    harness.start()
    harness.wait_until_running(3)
    with harness.database.connect() as connection:
        connection.execute("DELETE FROM procrastinate_jobs")
    harness.finish_work()
    harness.add_operation()
    harness.wait_until_idle()
    harness.check_consistency()


def test_operation_of_another_process_is_left_to_it_until_it_is_free(
    harness: WorkerHarness,
) -> None:
    lease = timedelta(minutes=10)
    owner, now = new_owner_name(lease), harness.store.now()
    assert now is not None
    operation = attrs.evolve(harness.add_operation(), lease=Lease(owner, now + lease))
    harness.store.renew_lease(owner, now + lease)
    harness.store.write([operation])
    harness.start()
    # The job holds no place while somebody else drives the operation.
    wait_until(lambda: not harness.jobs())
    assert harness.owners() == {owner}
    harness.store.renew_lease(owner, now)
    harness.wait_until_idle()
    harness.check_consistency()
