"""What is remembered of jobs that have ended."""

import pytest

from karbor_backup_freezer import memory
from karbor_backup_freezer.jobs import Job
from karbor_backup_freezer.memory import EndedJobs


def test_a_job_is_given_out_once_and_the_oldest_is_let_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "LIMIT", 2)
    jobs = EndedJobs()
    for name in ("one", "two", "three"):
        jobs.remember(Job.read({"job_id": name}))
    assert jobs.take("one") is None
    found = jobs.take("three")
    assert found is not None
    assert found.id == "three"
    assert jobs.take("three") is None


def test_a_job_is_seen_with_its_records_until_it_is_taken() -> None:
    jobs = EndedJobs()
    jobs.remember(Job.read({"job_id": "one"}), [{"backup_id": "r"}])
    for _ in range(2):
        job, records = jobs.seen("one")
        assert job is not None
        assert records == [{"backup_id": "r"}]
    assert jobs.take("one") is not None
    assert jobs.seen("one") == (None, ())
