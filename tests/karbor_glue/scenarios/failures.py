"""What can go wrong at each step, and what Karbor and its users see of it."""

import time
from collections.abc import Callable
from pathlib import Path

import eventlet
import pytest
from bench import Bench
from karbor import exception
from karbor.services.protection import protection_plugin

from karbor_backup_fake.faults import (
    Busy,
    FailWork,
    Fine,
    LostReply,
    Refused,
    Restart,
    Slow,
    Stall,
)
from karbor_glue.places import Place

VOLUME = "OS::Cinder::Volume#volume-1"


def test_a_service_that_refuses_ends_as_error_with_the_reason(bench: Bench) -> None:
    bench.cloud.faults.plan("create_job", Refused("no quota left"))
    done = bench.protect("volume-1")
    assert done.status == "error"
    assert "no quota left" in done.error
    assert bench.status(done, "volume-1") == "error"
    assert bench.objects(done, "volume-1") == {"status"}


def test_work_that_fails_leaves_nothing_outside(bench: Bench) -> None:
    bench.cloud.faults.plan("create_job", FailWork("the disk is full"))
    done = bench.protect("volume-1")
    assert done.status == "error"
    assert "the disk is full" in done.error
    assert bench.cloud.copies() == []
    assert bench.cloud.jobs() == []


def test_siblings_of_what_fails_are_finished_and_can_be_deleted(bench: Bench) -> None:
    bench.cloud.faults.plan("create_job", FailWork())
    done = bench.protect("volume-1", "volume-2")
    assert done.status == "error"
    statuses = {bench.status(done, each) for each in ("volume-1", "volume-2")}
    assert statuses == {"error", "available"}
    assert bench.delete(done).status == "deleted"
    assert bench.cloud.copies() == []


def test_passing_faults_are_not_seen(bench: Bench) -> None:
    bench.cloud.faults.plan("create_job", Busy())
    bench.cloud.faults.plan("list_jobs", Busy(), Busy())
    bench.cloud.service_seconds = 0.3
    bench.cloud.faults.plan("delete_job", Busy())
    done = bench.protect("volume-1")
    assert (done.status, done.error) == ("available", "")
    assert bench.cloud.jobs() == []


def test_a_lost_reply_doubles_nothing(bench: Bench) -> None:
    bench.cloud.faults.plan("create_job", LostReply())
    done = bench.protect("volume-1")
    assert done.status == "available"
    assert set(bench.cloud.started.values()) == {1}
    assert len(bench.cloud.copies()) == 1


def test_a_removal_that_fails_leaves_a_good_backup_good(bench: Bench) -> None:
    bench.cloud.faults.plan("delete_job", LostReply())
    done = bench.protect("volume-1")
    assert (done.status, done.error) == ("available", "")
    assert bench.cloud.jobs() == []


def test_a_job_that_is_gone_ends_as_error(bench: Bench) -> None:
    bench.cloud.service_seconds = 2
    bench.cloud.faults.plan("list_jobs", Fine(), Restart(forgets_running=True))
    done = bench.protect("volume-1")
    assert done.status == "error"
    assert "no longer knows" in done.error


def test_a_job_that_somebody_else_stopped_ends_as_error(bench: Bench) -> None:
    bench.cloud.service_seconds = 2

    def stop() -> None:
        while not bench.cloud.jobs():
            eventlet.sleep(0.05)
        for job in bench.cloud.jobs():
            bench.cloud.cancel_job(job)

    stopper = eventlet.spawn(stop)
    done = bench.protect("volume-1")
    stopper.wait()
    assert done.status == "error"
    assert "cancelled" in done.error
    assert bench.cloud.jobs() == []


def test_a_restore_that_fails_says_why(bench: Bench) -> None:
    done = bench.protect("volume-1")
    bench.cloud.faults.plan("create_job", FailWork("no room"))
    restored = bench.restore(done)
    assert "no room" in restored.error
    assert restored.record.statuses == {VOLUME: "error"}
    assert "no room" in restored.record.reasons[VOLUME]
    assert restored.new_resources == {}
    assert restored.status == "available"
    assert bench.restore(done).error == ""


def test_a_backup_that_was_spoilt_is_seen_by_verify(bench: Bench) -> None:
    done = bench.protect("volume-1")
    (copy,) = bench.cloud.copies()
    bench.cloud.damage(copy.id)
    verified = bench.verify(done)
    assert verified.record.statuses == {VOLUME: "error"}
    assert verified.record.reasons[VOLUME]


def test_a_delete_that_fails_can_be_repeated(bench: Bench) -> None:
    done = bench.protect("volume-1")
    bench.cloud.faults.plan("create_job", Refused("in use"))
    deleted = bench.delete(done)
    assert deleted.status == "error-deleting"
    assert "in use" in deleted.error
    assert bench.status(done, "volume-1") == "error"
    assert len(bench.cloud.copies()) == 1
    assert bench.delete(done).status == "deleted"
    assert bench.cloud.copies() == []


def test_a_checkpoint_that_was_never_begun_can_be_deleted(bench: Bench) -> None:
    checkpoint = bench.new_checkpoint("project-1")
    done = bench.delete_id(checkpoint.id)
    assert (done.status, done.error) == ("deleted", "")


def test_a_type_that_the_backend_does_not_have_is_refused_at_once(bench: Bench) -> None:
    done = bench.protect("directory-1", "volume-1")
    assert done.status == "error"
    assert "cannot protect Freezer::FileSystem::Directory" in done.error
    assert bench.status(done, "directory-1") == "error"


def test_parameters_that_do_not_fit_are_refused_with_all_faults(bench: Bench) -> None:
    wrong = {"OS::Cinder::Volume": {"backup_name": "", "colour": "blue"}}
    done = bench.protect("volume-1", parameters=wrong)
    assert done.status == "error"
    assert "backup_name" in done.error
    assert "colour" in done.error
    assert sum(bench.cloud.started.values()) == 0


def test_copy_is_refused_with_the_reason(bench: Bench) -> None:
    done = bench.protect("volume-1")
    copied = bench.copy(done)
    assert "has no copy" in copied.error


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (eventlet.Timeout(), "Timeout"),
        (SystemExit("stop"), "stop"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (OSError("disk"), "disk"),
    ],
    ids=["timeout", "exit", "interrupt", "os"],
)
@pytest.mark.parametrize("verb", ["protect", "restore", "verify", "delete"])
def test_nothing_but_an_exception_of_karbor_leaves_a_hook(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, error: BaseException, said: str, verb: str
) -> None:
    done = bench.protect("volume-1")

    def fail(_: object) -> None:
        raise error

    monkeypatch.setattr("karbor_glue.work.Work.settle", fail)
    operation = getattr(bench.plugin("volume-1"), f"get_{verb}_operation")(None)
    assert isinstance(operation, protection_plugin.Operation)
    with pytest.raises(exception.KarborException, match=said):
        bench.call(operation, "on_main", done, "volume-1")


def test_nothing_in_the_making_of_an_operation_reads_the_provider(
    make_bench: Callable[..., Bench],
) -> None:
    bench = make_bench(karbor_backup_plugin="backend = no-such-backend")
    done = bench.protect("volume-1")
    assert done.status == "error"
    assert "no-such-backend" in done.error


def test_a_bank_that_cannot_be_written_begins_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from karbor_backup_core import StoreError

    def fail(*_: object) -> None:
        raise StoreError("the bank is away")

    monkeypatch.setattr(Place, "keep_operation", fail)
    done = bench.protect("volume-1")
    assert done.status == "error"
    assert "the bank is away" in done.error
    assert sum(bench.cloud.started.values()) == 0


def test_a_deadline_ends_what_never_ends(make_bench: Callable[..., Bench], tmp_path: Path) -> None:
    bench = _impatient(make_bench, tmp_path)
    bench.cloud.faults.plan("create_job", Stall())
    done = bench.protect("volume-1")
    assert done.status == "error"
    assert "deadline" in done.error
    assert bench.cloud.jobs() == []


def test_what_runs_on_after_its_deadline_is_named_and_cleaned_by_the_delete(
    make_bench: Callable[..., Bench], tmp_path: Path
) -> None:
    bench = _impatient(make_bench, tmp_path)
    bench.cloud.heeds_cancel = False
    bench.cloud.faults.plan("create_job", Slow(seconds=4))
    done = bench.protect("volume-1")
    assert done.status == "error"
    assert "left behind" in done.error
    assert any(name.startswith("operation-") for name in bench.objects(done, "volume-1"))
    early = bench.delete(done)
    assert early.status == "error-deleting"
    while any(job.state == "running" for job in bench.cloud.jobs()):
        time.sleep(0.1)
    assert bench.delete(done).status == "deleted"
    assert bench.cloud.copies() == []
    assert bench.cloud.jobs() == []
    assert bench.objects(done, "volume-1") == {"status"}


def _impatient(make_bench: Callable[..., Bench], tmp_path: Path) -> Bench:
    file = tmp_path / "impatient.toml"
    bench = make_bench(
        karbor_backup_plugin=f"backend = fake\npoll_interval = 0\nconfiguration_file = {file}\n"
        "deadline = 1\ngrace = 1"
    )
    file.write_text(f'cloud = "{bench.cloud.name}"\n')
    return bench
