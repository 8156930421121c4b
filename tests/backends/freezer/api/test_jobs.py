"""Job documents, written and read, and their ids."""

import re
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_freezer.api.jobs import (
    COMPLETED_STATES,
    ENDED_STATES,
    Job,
    JobState,
    job_document,
)
from karbor_backup_freezer.model.ids import job_id, removal_step

FREEZERS_PATTERN = r"^[\w-]+$"


@given(st.uuids(), st.integers(1, 9))
def test_every_step_has_one_valid_job_id(operation: uuid.UUID, number: int) -> None:
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
def test_job_starts_at_once_and_is_not_retried(
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
    ("schedule", "expected"),
    [
        (None, JobState.WAITING),
        ({}, JobState.WAITING),
        ({"event": "start"}, JobState.WAITING),
        ({"event": "start", "status": "", "result": ""}, JobState.WAITING),
        ({"event": "", "status": "scheduled", "result": ""}, JobState.WAITING),
        ({"event": "stop", "status": "scheduled"}, JobState.WAITING),
        ({"event": "", "status": "running", "result": ""}, JobState.RUNNING),
        ({"event": "abort", "status": "running"}, JobState.RUNNING),
        ({"event": "abort", "status": "aborting"}, JobState.RUNNING),
        ({"event": "stop", "status": ""}, JobState.HALTED),
        ({"event": "stop"}, JobState.HALTED),
        ({"event": "", "status": "stop", "result": ""}, JobState.STOPPED),
        ({"status": "stop", "result": "success"}, JobState.SUCCEEDED),
        ({"status": "removed"}, JobState.STOPPED),
        ({"event": "", "status": "completed", "result": "success"}, JobState.SUCCEEDED),
        ({"event": "abort", "status": "completed", "result": "success"}, JobState.SUCCEEDED),
        ({"status": "completed", "result": "fail"}, JobState.FAILED),
        ({"status": "completed", "result": "aborted"}, JobState.FAILED),
        ({"status": "completed"}, JobState.FAILED),
        ({"status": "completed", "result": None}, JobState.FAILED),
    ],
)
def test_job_state_is_parsed_whatever_keys_are_missing(
    schedule: dict[str, Any] | None, expected: JobState
) -> None:
    job = Job.from_document({"job_id": "x", "job_schedule": schedule})
    assert job.state is expected
    assert (job.state in ENDED_STATES) is (
        expected in (JobState.STOPPED, JobState.SUCCEEDED, JobState.FAILED)
    )


def test_completed_states_are_ended_states() -> None:
    assert COMPLETED_STATES < ENDED_STATES


def test_repr_of_a_job_hides_its_actions() -> None:
    actions = [{"action_id": "a", "freezer_action": {"secret_key": "s3cr3t", "mode": "fs"}}]
    job = Job.from_document({"job_id": "x", "job_actions": actions})
    assert "s3cr3t" not in repr(job)
    assert job.get_field("mode") == "fs"
    assert job.get_field("nothing") == ""
