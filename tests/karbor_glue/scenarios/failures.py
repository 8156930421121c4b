"""What can go wrong at each step, and what Karbor and its users see of it."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import eventlet
import pytest
from harness import KarborHarness
from karbor import exception
from karbor.services.protection import protection_plugin

from karbor_backup_core import system_clock
from karbor_backup_fake.faults import (
    Busy,
    FailJob,
    LostReply,
    NoFault,
    Refused,
    Restart,
    SlowJob,
    StallJob,
)
from karbor_glue._bank_section import ResourceSection

VOLUME = "OS::Cinder::Volume#volume-1"
LONG_JOB = SlowJob(seconds=3600)
"""Work that does not end by itself while a test goes on."""

TIMEOUT = 300
"""Seconds after which a test no longer believes that something comes."""


def let_time_pass(harness: KarborHarness) -> None:
    """Let all work of the cloud that was begun be done."""
    harness.cloud.clock = lambda: system_clock() + timedelta(seconds=2 * LONG_JOB.seconds)


def test_refusal_of_the_service_ends_in_error_with_its_reason(harness: KarborHarness) -> None:
    harness.cloud.faults.plan("create_job", Refused("no quota left"))
    done = harness.protect("volume-1")
    assert done.status == "error"
    assert "no quota left" in done.error
    assert harness.read_status(done, "volume-1") == "error"
    assert harness.list_objects(done, "volume-1") == {"status"}


def test_failed_protect_leaves_nothing_in_the_cloud(harness: KarborHarness) -> None:
    harness.cloud.faults.plan("create_job", FailJob("the disk is full"))
    done = harness.protect("volume-1")
    assert done.status == "error"
    assert "the disk is full" in done.error
    assert harness.cloud.copies() == []
    assert harness.cloud.jobs() == []


def test_siblings_of_a_failed_resource_finish_and_can_be_deleted(harness: KarborHarness) -> None:
    harness.cloud.faults.plan("create_job", FailJob())
    done = harness.protect("volume-1", "volume-2")
    assert done.status == "error"
    statuses = {harness.read_status(done, each) for each in ("volume-1", "volume-2")}
    assert statuses == {"error", "available"}
    assert harness.delete(done).status == "deleted"
    assert harness.cloud.copies() == []


def test_transient_errors_are_retried_without_a_trace(harness: KarborHarness) -> None:
    harness.cloud.faults.plan("create_job", Busy(), LONG_JOB)
    harness.cloud.faults.plan("list_jobs", Busy(), Busy())
    harness.cloud.faults.plan("delete_job", Busy())

    def end_after_the_first_answer(request: str) -> None:
        if request == "list_jobs done":
            let_time_pass(harness)

    harness.cloud.gate = end_after_the_first_answer
    done = harness.protect("volume-1")
    assert (done.status, done.error) == ("available", "")
    assert harness.cloud.jobs() == []


def test_lost_reply_creates_no_second_job(harness: KarborHarness) -> None:
    harness.cloud.faults.plan("create_job", LostReply())
    done = harness.protect("volume-1")
    assert done.status == "available"
    assert set(harness.cloud.started.values()) == {1}
    assert len(harness.cloud.copies()) == 1


def test_lost_reply_of_a_release_keeps_the_backup_available(harness: KarborHarness) -> None:
    harness.cloud.faults.plan("delete_job", LostReply())
    done = harness.protect("volume-1")
    assert (done.status, done.error) == ("available", "")
    assert harness.cloud.jobs() == []


def test_missing_job_ends_in_error(harness: KarborHarness) -> None:
    harness.cloud.faults.plan("create_job", LONG_JOB)
    harness.cloud.faults.plan("list_jobs", NoFault(), Restart(forgets_running=True))
    done = harness.protect("volume-1")
    assert done.status == "error"
    assert "no longer knows" in done.error


def test_job_stopped_by_another_client_ends_in_error(harness: KarborHarness) -> None:
    harness.cloud.faults.plan("create_job", LONG_JOB)

    def stop() -> None:
        with eventlet.Timeout(TIMEOUT):
            while not harness.cloud.jobs():
                eventlet.sleep(0.05)
        for job in harness.cloud.jobs():
            harness.cloud.cancel_job(job)

    stopper = eventlet.spawn(stop)
    done = harness.protect("volume-1")
    stopper.wait()
    assert done.status == "error"
    assert "cancelled" in done.error
    assert harness.cloud.jobs() == []


def test_failed_restore_prints_the_reason(harness: KarborHarness) -> None:
    done = harness.protect("volume-1")
    harness.cloud.faults.plan("create_job", FailJob("no room"))
    restored = harness.restore(done)
    assert "no room" in restored.error
    assert restored.record.statuses == {VOLUME: "error"}
    assert "no room" in restored.record.reasons[VOLUME]
    assert restored.new_resources == {}
    assert restored.status == "available"
    assert harness.restore(done).error == ""


def test_verify_finds_a_corrupt_backup(harness: KarborHarness) -> None:
    done = harness.protect("volume-1")
    (copy,) = harness.cloud.copies()
    harness.cloud.corrupt_copy(copy.id)
    verified = harness.verify(done)
    assert verified.record.statuses == {VOLUME: "error"}
    assert verified.record.reasons[VOLUME]


def test_a_delete_that_fails_can_be_repeated(harness: KarborHarness) -> None:
    done = harness.protect("volume-1")
    harness.cloud.faults.plan("create_job", Refused("in use"))
    deleted = harness.delete(done)
    assert deleted.status == "error-deleting"
    assert "in use" in deleted.error
    assert harness.read_status(done, "volume-1") == "error"
    assert len(harness.cloud.copies()) == 1
    assert harness.delete(done).status == "deleted"
    assert harness.cloud.copies() == []


def test_checkpoint_without_operations_can_be_deleted(harness: KarborHarness) -> None:
    checkpoint = harness.new_checkpoint("project-1")
    done = harness.delete_id(checkpoint.id)
    assert (done.status, done.error) == ("deleted", "")


def test_a_type_that_the_backend_does_not_have_is_refused_at_once(harness: KarborHarness) -> None:
    done = harness.protect("directory-1", "volume-1")
    assert done.status == "error"
    assert "cannot protect Freezer::FileSystem::Directory" in done.error
    assert harness.read_status(done, "directory-1") == "error"


def test_parameters_that_do_not_fit_are_refused_with_all_faults(harness: KarborHarness) -> None:
    wrong = {"OS::Cinder::Volume": {"backup_name": "", "colour": "blue"}}
    done = harness.protect("volume-1", parameters=wrong)
    assert done.status == "error"
    assert "backup_name" in done.error
    assert "colour" in done.error
    assert sum(harness.cloud.started.values()) == 0


def test_copy_is_refused_with_the_reason(harness: KarborHarness) -> None:
    done = harness.protect("volume-1")
    copied = harness.copy_checkpoint(done)
    assert "which has no second backend; protect it again" in copied.error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (eventlet.Timeout(), "Timeout"),
        (SystemExit("stop"), "stop"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (OSError("disk"), "disk"),
    ],
    ids=["timeout", "exit", "interrupt", "os"],
)
@pytest.mark.parametrize("verb", ["protect", "restore", "verify", "delete"])
def test_hooks_raise_karbors_exceptions_only(
    harness: KarborHarness,
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    expected: str,
    verb: str,
) -> None:
    done = harness.protect("volume-1")

    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr("karbor_glue._resource_task.ResourceTask.run_once", fail)
    operation = getattr(harness.load_plugin("volume-1"), f"get_{verb}_operation")(None)
    assert isinstance(operation, protection_plugin.Operation)
    with pytest.raises(exception.KarborException, match=expected):
        harness.call_hook(operation, "on_main", done, "volume-1")


def test_operation_is_created_without_reading_the_configuration(
    make_harness: Callable[..., KarborHarness],
) -> None:
    harness = make_harness(karbor_backup_plugin="backend = no-such-backend")
    done = harness.protect("volume-1")
    assert done.status == "error"
    assert "no-such-backend" in done.error


def test_unwritable_bank_starts_no_job(
    harness: KarborHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    from karbor_backup_core import StoreError

    def fail(*_: object) -> None:
        raise StoreError("the bank is away")

    monkeypatch.setattr(ResourceSection, "write_operation", fail)
    done = harness.protect("volume-1")
    assert done.status == "error"
    assert "the bank is away" in done.error
    assert sum(harness.cloud.started.values()) == 0


def test_deadline_ends_work_that_never_ends(
    make_harness: Callable[..., KarborHarness], tmp_path: Path
) -> None:
    harness = _short_deadline_harness(make_harness, tmp_path)
    harness.cloud.faults.plan("create_job", StallJob())
    done = harness.protect("volume-1")
    assert done.status == "error"
    assert "deadline" in done.error
    assert harness.cloud.jobs() == []


def test_work_running_after_its_deadline_is_named_and_removed_by_delete(
    make_harness: Callable[..., KarborHarness], tmp_path: Path
) -> None:
    harness = _short_deadline_harness(make_harness, tmp_path)
    harness.cloud.heeds_cancel = False
    harness.cloud.faults.plan("create_job", LONG_JOB)
    done = harness.protect("volume-1")
    assert done.status == "error"
    assert "left behind" in done.error
    assert any(name.startswith("operation-") for name in harness.list_objects(done, "volume-1"))
    early = harness.delete(done)
    assert early.status == "error-deleting"
    let_time_pass(harness)
    assert harness.delete(done).status == "deleted"
    assert harness.cloud.copies() == []
    assert harness.cloud.jobs() == []
    assert harness.list_objects(done, "volume-1") == {"status"}


def _short_deadline_harness(
    make_harness: Callable[..., KarborHarness], tmp_path: Path
) -> KarborHarness:
    file = tmp_path / "impatient.toml"
    harness = make_harness(
        karbor_backup_plugin=f"backend = fake\npoll_interval = 0\nconfiguration_file = {file}\n"
        "deadline = 1\ngrace = 1"
    )
    file.write_text(f'cloud = "{harness.cloud.name}"\n')
    return harness
