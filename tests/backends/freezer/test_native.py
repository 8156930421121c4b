"""What Cinder says of its own backups, and their removal: real requests, told answers."""

import json
from typing import Any

import pytest

from karbor_backup_core import BackendError, Leftover, Transient
from karbor_backup_freezer.native import KIND, NativeBackups, NativeState, Removal, Stage
from sandbox import faults
from sandbox.faults import Answer, Fault
from tests.backends.freezer.answering import AnsweringCloud


@pytest.fixture
def natives(answering: AnsweringCloud) -> NativeBackups:
    return NativeBackups(answering.services)


def backup(status: str = "available", id_: str = "b", **more: Any) -> dict[str, Any]:
    return {"id": id_, "status": status, "size": 2, "volume_id": "v", "name": "n_op", **more}


def say(answering: AnsweringCloud, status: str, **more: Any) -> None:
    answering.answer("/backups/b$", {"backup": backup(status, **more)})


def say_once(answering: AnsweringCloud, status: str) -> None:
    content = json.dumps({"backup": backup(status)}).encode()
    answer = Answer(200, (("Content-Type", "application/json"),), content)
    fault = Fault(f"says {status} once", answer=answer)
    answering.proxy.plan(fault, method="GET", path="/backups/b$")


def deletes(answering: AnsweringCloud, status: int = 202, body: bytes = b"") -> None:
    answer = Answer(status, (("Content-Type", "application/json"),), body)
    fault = Fault("answers a DELETE", answer=answer)
    answering.proxy.plan(fault, times=None, method="DELETE", path="/backups/b$")


def deleted(answering: AnsweringCloud) -> list[str]:
    return [r.path for r in answering.proxy.requests if r.method == "DELETE"]


@pytest.mark.parametrize(
    ("status", "stage"),
    [
        ("creating", Stage.RUNNING),
        ("a state of Cinder 40", Stage.RUNNING),
        ("available", Stage.AVAILABLE),
        ("restoring", Stage.AVAILABLE),
        ("deleting", Stage.LEAVING),
        ("error", Stage.FAILED),
        ("error_deleting", Stage.FAILED),
    ],
)
def test_how_far_a_backup_is(
    answering: AnsweringCloud, natives: NativeBackups, status: str, stage: Stage
) -> None:
    say(answering, status)
    state = natives.state("b")
    assert (state.stage, state.size) == (stage, 2 * 2**30)
    assert bool(state.reason) == (stage in (Stage.FAILED, Stage.LEAVING))


def test_a_failure_is_told_in_cinders_words_on_one_line(
    answering: AnsweringCloud, natives: NativeBackups
) -> None:
    say(answering, "error", fail_reason="no space\n  left")
    assert natives.state("b").reason == "Cinder's backup b failed: no space left"


def test_a_backup_that_cinder_does_not_know_is_gone(natives: NativeBackups) -> None:
    assert natives.state("b") == NativeState(id="b", reason="Cinder has no backup b")
    assert natives.state("b").stage is Stage.GONE
    assert natives.remove({"b": "v"}, "op") == Removal()


def test_many_are_one_request_and_one_more_for_each_that_it_missed(
    answering: AnsweringCloud, natives: NativeBackups
) -> None:
    listed = [backup(id_=id_) for id_ in ("a", "c", "of somebody else")]
    answering.answer("/backups/detail$", {"backups": listed})
    say(answering, "creating")
    states = natives.states(["a", "b", "c"])
    stages = {id_: state.stage for id_, state in states.items()}
    assert stages == {"a": Stage.AVAILABLE, "b": Stage.RUNNING, "c": Stage.AVAILABLE}
    asked = [r.path for r in answering.proxy.requests if "/backups" in r.path]
    assert len(asked) == 2


def test_a_name_finds_its_own_backups_only(
    answering: AnsweringCloud, natives: NativeBackups
) -> None:
    # Cinder may take a name for a pattern, and an administrator may forbid the filters.
    listed = [backup(id_="a"), backup(id_="b", name="n2"), backup(id_="c", volume_id="w")]
    answering.answer("/backups/detail", {"backups": listed})
    assert natives.named("n_op", "v") == ("a",)


def test_a_backup_is_asked_to_go_once(answering: AnsweringCloud, natives: NativeBackups) -> None:
    deletes(answering)
    say_once(answering, "available")
    say(answering, "deleting")
    assert [left.id for left in natives.remove({"b": "v"}, "op").waiting] == ["b"]
    assert [left.id for left in natives.remove({"b": "v"}, "op").waiting] == ["b"]
    assert len(deleted(answering)) == 1


def test_a_backup_that_cinder_still_writes_is_waited_for(
    answering: AnsweringCloud, natives: NativeBackups
) -> None:
    say(answering, "creating")
    waiting = Leftover(KIND, "b", "Cinder calls it 'creating'")
    assert natives.remove({"b": "v"}, "op") == Removal(waiting=(waiting,))
    assert not deleted(answering)


def test_what_cinder_refuses_to_remove_is_told_with_its_words(
    answering: AnsweringCloud, natives: NativeBackups
) -> None:
    said = {"badRequest": {"code": 400, "message": "Incremental backups exist"}}
    deletes(answering, 400, json.dumps(said).encode())
    say(answering, "available")
    (stuck,) = natives.remove({"b": "v"}, "op").stuck
    assert "Incremental backups exist" in stuck.note


def test_a_refusal_because_it_is_leaving_already_is_none(
    answering: AnsweringCloud, natives: NativeBackups
) -> None:
    deletes(answering, 400)
    say_once(answering, "available")
    say(answering, "deleting")
    removal = natives.remove({"b": "v"}, "op")
    assert removal.waiting
    assert not removal.stuck


def test_a_backup_whose_removal_failed_is_for_an_administrator(
    answering: AnsweringCloud, natives: NativeBackups
) -> None:
    say(answering, "error_deleting", fail_reason="the share is gone")
    (stuck,) = natives.remove({"b": "v"}, "op").stuck
    assert "the share is gone; an administrator can" in stuck.note
    assert not deleted(answering)


@pytest.mark.parametrize(("status", "error"), [(503, Transient), (403, BackendError)])
def test_no_answer_is_no_state(
    answering: AnsweringCloud, natives: NativeBackups, status: int, error: type[Exception]
) -> None:
    answering.proxy.plan(faults.status(status), times=None, path="/backups/b$")
    with pytest.raises(error):
        natives.state("b")


@pytest.mark.parametrize("strange", [{"name": "nightly"}, {"name": ""}, {"volume_id": "w"}])
def test_a_backup_that_is_not_provably_of_this_one_is_left_alone(
    answering: AnsweringCloud, natives: NativeBackups, strange: dict[str, str]
) -> None:
    deletes(answering)
    say(answering, "available", **strange)
    (stuck,) = natives.remove({"b": "v"}, "op").stuck
    assert "not provably" in stuck.note
    assert not deleted(answering)
