"""Protects of servers, volumes and projects, from the survey to the release."""

from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from pytest_mock import MockerFixture

from karbor_backup_core import Backup, Call, Operation, ProgressState, Resource, Result, State, Verb
from karbor_backup_freezer.handles import Handle
from karbor_backup_freezer.pieces import Mode
from karbor_backup_freezer.receipts import Receipt, Step
from karbor_backup_freezer.steps import protect as protect_module
from sandbox.scripted_agent.agent import ScriptedAgent
from tests.backends.freezer.steps.stage import HOST, SHOP, Stage, twice


def backup_of(operation: Operation) -> Backup:
    assert operation.outcome is not None
    assert operation.outcome.result is Result.SUCCEEDED, operation.outcome.reason
    assert operation.outcome.backup is not None
    return operation.outcome.backup


def failed(operation: Operation) -> str:
    assert operation.state is State.RELEASED
    assert operation.outcome is not None
    assert operation.outcome.result is Result.FAILED
    return operation.outcome.reason


def nothing_left(stage: Stage) -> bool:
    """Whether neither Freezer nor the cloud holds anything but records and what was there."""
    temporary = [
        thing.name
        for shelf in (stage.cloud.world.images, stage.cloud.world.volumes)
        for thing in shelf
        if "_backup_" in thing.name
    ]
    return not (stage.freezer.jobs or stage.freezer.actions or temporary)


@pytest.mark.parametrize("mode", [Mode.CINDER, Mode.NATIVE])
def test_a_volume_is_surveyed_stored_and_looked_at(stage: Stage, mode: Mode) -> None:
    volume = stage.volume("data")
    operation = stage.done(Verb.PROTECT, volume, {"mode": mode.value})
    backup = backup_of(operation)
    handle = Handle.of(backup)
    (stored,) = handle.pieces
    assert (stored.piece.mode, stored.piece.size) == (mode, 2**30)
    assert bool(stored.native) is (mode is Mode.NATIVE)
    assert (backup.members, operation.outcome.parts if operation.outcome else ()) == ((), ())
    assert nothing_left(stage)
    assert len(stage.freezer.records) == 1


def test_a_project_has_a_member_for_every_server_and_volume(stage: Stage) -> None:
    web, data, other = stage.server("web"), stage.volume("data"), stage.volume("other")
    backup = backup_of(stage.done(Verb.PROTECT, SHOP))
    assert {m.resource.id: m.id for m in backup.members} == {
        each.id: f"{backup.id}/{each.id}" for each in (web, data, other)
    }
    alone = Handle.of(backup.members[-1])
    assert len(alone.pieces) == 1
    assert len(stage.freezer.records) == 3
    assert nothing_left(stage)


def test_a_backup_is_where_the_agent_says_that_it_put_it(stage: Stage) -> None:
    stage.freezer.hostname = ""
    backup = backup_of(stage.done(Verb.PROTECT, stage.server("web")))
    assert Handle.of(backup).hostname == HOST
    assert stage.done(Verb.VERIFY, backup).outcome.result is Result.SUCCEEDED  # type: ignore[union-attr]


def test_an_empty_project_is_a_backup_of_nothing(stage: Stage) -> None:
    backup = backup_of(stage.done(Verb.PROTECT, SHOP))
    assert Handle.of(backup).pieces == ()
    assert stage.freezer.created == []
    for verb in (Verb.VERIFY, Verb.RESTORE, Verb.DELETE):
        operation = stage.done(verb, backup)
        assert operation.outcome is not None
        assert operation.outcome.result is Result.SUCCEEDED, operation.outcome.reason
    assert stage.freezer.created == []


def test_one_member_that_fails_fails_the_project_and_says_which(stage: Stage) -> None:
    first, bad, last = (stage.volume(name) for name in ("first", "bad", "last"))
    stage.freezer.breaks[bad.id] = "backup"
    operation = stage.done(Verb.PROTECT, SHOP)
    assert f"OS::Cinder::Volume {bad.id}" in failed(operation)
    assert operation.outcome is not None
    parts = {part.resource.id: part for part in operation.outcome.parts}
    order = [id_ for id_ in parts if parts[id_].result is Result.SUCCEEDED]
    assert parts[bad.id].result is Result.FAILED
    assert f"host {HOST}" in parts[bad.id].reason
    skipped = {first.id, last.id} - set(order)
    assert all("not tried" in parts[id_].reason for id_ in skipped)
    assert nothing_left(stage)
    assert stage.freezer.records == {}


def test_a_single_volume_that_fails_leaves_nothing(stage: Stage) -> None:
    volume = stage.volume("data")
    stage.freezer.breaks[volume.id] = "backup"
    assert "Freezer's job ended with result 'fail'" in failed(stage.done(Verb.PROTECT, volume))
    assert nothing_left(stage)


def test_what_freezer_calls_a_success_and_has_not_stored_is_a_failure(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = stage.volume("data")
    backup_of(stage.done(Verb.PROTECT, stage.volume("other")))
    stage.freezer.records.clear()

    def back_up(_agent: ScriptedAgent, told: Mapping[str, str]) -> dict[str, Any]:
        return {**told, "time_stamp": 1, "hostname": HOST}

    monkeypatch.setattr(ScriptedAgent, "back_up", back_up)
    reason = failed(stage.done(Verb.PROTECT, volume))
    assert "nothing is stored of it" in reason
    assert nothing_left(stage)
    assert stage.freezer.records == {}


def test_every_call_may_come_twice(stage: Stage) -> None:
    stage.server("web")
    stage.volume("data")
    operation = stage.done(Verb.PROTECT, SHOP, between=lambda each: twice(stage, each))
    backup_of(operation)
    assert len(stage.freezer.created) == 1
    assert stage.freezer.refused == 0
    assert len(stage.freezer.records) == 2
    assert nothing_left(stage)


@pytest.mark.parametrize("after", [Step.SURVEY, Step.JOB, Step.NATIVE])
def test_a_cancel_leaves_nothing(stage: Stage, after: Step) -> None:
    volume = stage.volume("data")
    before = set(stage.cloud.world.inventory)

    def cancelled(operation: Operation) -> Operation:
        reached = Receipt.of(operation).step is after and operation.outcome is None
        return attrs.evolve(operation, cancel_requested=True) if reached else operation

    options = {"mode": "cindernative" if after is Step.NATIVE else "cinder"}
    operation = stage.done(Verb.PROTECT, volume, options, between=cancelled)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.CANCELLED
    assert operation.outcome.leftovers == ()
    assert set(stage.cloud.world.inventory) == before
    assert nothing_left(stage)
    assert stage.freezer.records == {}


def test_what_cannot_be_protected_is_refused_before_anything_is_begun(stage: Stage) -> None:
    nobody = Resource("OS::Cinder::Volume", "0b5e39c4-0000-0000-0000-000000000000")
    operation = stage.done(Verb.PROTECT, nobody)
    assert "status 404" in failed(operation)
    assert operation.outcome is not None
    assert operation.outcome.refused
    assert stage.freezer.created == []


def test_what_is_too_large_to_be_noted_is_refused(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protect_module, "_ROOM", 500)
    stage.volume("data", metadata={"long": "x" * 250})
    stage.volume("more", metadata={"long": "x" * 250})
    assert "too large for one backup" in failed(stage.done(Verb.PROTECT, SHOP))
    assert stage.freezer.created == []


def test_a_poll_of_work_that_was_never_begun_says_so(stage: Stage) -> None:
    seen = []

    def polled(operation: Operation) -> Operation:
        if operation.state is State.SUBMITTING and not seen:
            seen.append(stage.call(Call.POLL, operation))
        return operation

    backup_of(stage.done(Verb.PROTECT, stage.volume("data"), between=polled))
    assert [progress.state for progress in seen] == [ProgressState.UNKNOWN]


def _record(version: str) -> dict[str, Any]:
    """A record of an agent of that version on this host, newer than all others."""
    metadata = {"hostname": HOST, "client_version": version, "time_stamp": 2**40}
    return {"backup_id": "earlier", "backup_metadata": metadata}


def test_old_agent_is_refused_before_a_job(stage: Stage) -> None:
    stage.freezer.records["earlier"] = _record("17.0.0")
    reason = failed(stage.done(Verb.PROTECT, stage.volume("data")))
    assert "freezer-agent 17.0.0" in reason
    assert "19.0.0 or later is needed" in reason
    assert stage.freezer.created == []


def test_restore_by_an_old_agent_is_refused_before_a_job(stage: Stage) -> None:
    backup = backup_of(stage.done(Verb.PROTECT, stage.volume("data")))
    created = list(stage.freezer.created)
    stage.freezer.records["earlier"] = _record("18.0.0")
    reason = failed(stage.done(Verb.RESTORE, backup))
    assert "freezer-agent 18.0.0" in reason
    assert stage.freezer.created == created


def test_first_record_of_an_old_agent_says_why_the_protect_failed(
    stage: Stage, mocker: MockerFixture
) -> None:
    old = {"hostname": HOST, "client_version": "18.0.0", "time_stamp": 1}
    mocker.patch.object(
        protect_module, "all_records_of", return_value=[{"backup_id": "r", "backup_metadata": old}]
    )
    mocker.patch.object(protect_module.results, "is_record_of", return_value=False)
    reason = failed(stage.done(Verb.PROTECT, stage.volume("data")))
    assert "freezer-agent 18.0.0 is used for directories only" in reason
