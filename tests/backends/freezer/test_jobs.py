"""Job documents, written and read, and their ids."""

import re
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_freezer.identifiers import job_id, removal_step
from karbor_backup_freezer.jobs import ENDED, RAN, Job, Stage, job_document

FREEZERS_PATTERN = r"^[\w-]+$"


@given(st.uuids(), st.integers(1, 9))
def test_every_step_has_one_id_that_freezer_takes(operation: uuid.UUID, number: int) -> None:
    identifiers = {
        job_id(str(operation)),
        job_id(str(operation), removal_step(number)),
        job_id(str(operation), removal_step(number + 1)),
        job_id(str(uuid.uuid4())),
    }
    assert len(identifiers) == 4
    assert job_id(str(operation)) in identifiers
    assert all(re.match(FREEZERS_PATTERN, each) and len(each) <= 36 for each in identifiers)


ACTIONS = st.fixed_dictionaries(
    {"action": st.just("backup"), "container": st.sampled_from(["a/b", "/srv/k%%/x"])}
)


@given(st.text(max_size=400), st.lists(ACTIONS))
def test_a_job_starts_at_once_and_is_tried_once(
    description: str, actions: list[dict[str, str]]
) -> None:
    document = job_document("id", "client", description, actions)
    assert document["job_schedule"] == {"event": "start", "status": "", "result": ""}
    assert document["job_actions"] == [
        {"freezer_action": action, "max_retries": 0, "max_retries_interval": 1}
        for action in actions
    ]
    assert document["job_id"] == "id"
    assert len(document["description"]) <= 255


@pytest.mark.parametrize(
    ("schedule", "stage"),
    [
        (None, Stage.WAITING),
        ({}, Stage.WAITING),
        ({"event": "start"}, Stage.WAITING),
        ({"event": "start", "status": "", "result": ""}, Stage.WAITING),
        ({"event": "", "status": "scheduled", "result": ""}, Stage.WAITING),
        ({"event": "stop", "status": "scheduled"}, Stage.WAITING),
        ({"event": "", "status": "running", "result": ""}, Stage.RUNNING),
        ({"event": "abort", "status": "running"}, Stage.RUNNING),
        ({"event": "abort", "status": "aborting"}, Stage.RUNNING),
        ({"event": "stop", "status": ""}, Stage.HALTED),
        ({"event": "stop"}, Stage.HALTED),
        ({"event": "", "status": "stop", "result": ""}, Stage.STOPPED),
        ({"status": "stop", "result": "success"}, Stage.SUCCEEDED),
        ({"status": "removed"}, Stage.STOPPED),
        ({"event": "", "status": "completed", "result": "success"}, Stage.SUCCEEDED),
        ({"event": "abort", "status": "completed", "result": "success"}, Stage.SUCCEEDED),
        ({"status": "completed", "result": "fail"}, Stage.FAILED),
        ({"status": "completed", "result": "aborted"}, Stage.FAILED),
        ({"status": "completed"}, Stage.FAILED),
        ({"status": "completed", "result": None}, Stage.FAILED),
    ],
)
def test_a_job_says_how_it_stands_whatever_keys_are_missing(
    schedule: dict[str, Any] | None, stage: Stage
) -> None:
    job = Job.read({"job_id": "x", "job_schedule": schedule})
    assert job.stage is stage
    assert (job.stage in ENDED) is (stage in (Stage.STOPPED, Stage.SUCCEEDED, Stage.FAILED))


def test_what_has_run_has_ended() -> None:
    assert RAN < ENDED


def test_a_job_does_not_show_what_the_agent_was_told() -> None:
    actions = [{"action_id": "a", "freezer_action": {"secret_key": "s3cr3t", "mode": "fs"}}]
    job = Job.read({"job_id": "x", "job_actions": actions})
    assert "s3cr3t" not in repr(job)
    assert job.field("mode") == "fs"
    assert job.field("nothing") == ""
