"""What is remembered of jobs that have ended."""

import pytest

from karbor_backup_freezer.api import job_cache
from karbor_backup_freezer.api.job_cache import FinishedJobCache
from karbor_backup_freezer.api.jobs import Job


def test_pop_removes_the_job_and_a_full_cache_drops_the_oldest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(job_cache, "MAX_JOBS", 2)
    jobs = FinishedJobCache()
    for name in ("one", "two", "three"):
        jobs.put(Job.from_document({"job_id": name}))
    assert jobs.pop("one") is None
    job = jobs.pop("three")
    assert job is not None
    assert job.id == "three"
    assert jobs.pop("three") is None


def test_cached_job_is_returned_until_it_is_popped() -> None:
    jobs = FinishedJobCache()
    jobs.put(Job.from_document({"job_id": "one"}), [{"backup_id": "r"}])
    for _ in range(2):
        job, records = jobs.get("one")
        assert job is not None
        assert records == [{"backup_id": "r"}]
    assert jobs.pop("one") is not None
    assert jobs.get("one") == (None, ())
