"""Which requests are made to see how jobs stand, and what is made of the answers."""

from collections import Counter
from collections.abc import Iterable

import attrs
import pytest

from karbor_backup_freezer.api.job_status import ExpectedJob, JobStatusReader
from karbor_backup_freezer.api.job_status.job_list import (
    LISTING_SHARE,
    REST_FACTOR,
    SCAN_PAGE_SIZE,
)
from karbor_backup_freezer.api.jobs import JobState
from tests.support.fake_freezer import FakeFreezer


@attrs.define
class StatusHarness:
    """A Freezer that takes a second for a page of jobs, and no time for all else."""

    freezer: FakeFreezer = attrs.field(factory=lambda: FakeFreezer("node1"))
    seconds: float = 0.0

    def __attrs_post_init__(self) -> None:
        self.freezer.before_request = self._spend_time

    def create_jobs(self, *names: str, actions: int = 1) -> dict[str, ExpectedJob | None]:
        """Create jobs as a protect does; return what is known of them."""
        for name in names:
            own = [{"freezer_action": {"container": f"top/{name}%%"}}] * actions
            self.freezer.create_job({"job_id": name, "client_id": "node1", "job_actions": own})
            self.freezer.set_schedule(name, status="running")
        return {name: ExpectedJob("node1", f"top/{name}%") for name in names}

    def end_job(
        self, name: str, status: str = "running", result: str = "", records: int = 1
    ) -> None:
        """Let a job end; its scheduler may not have said so yet."""
        self.freezer.set_schedule(name, status=status, result=result)
        self.add_records(name, records)

    def add_records(self, job_id: str, count: int) -> None:
        for _ in range(count):
            self.freezer.add_record({"job_id": job_id})

    def action_ids(self, name: str) -> list[str]:
        return [action["action_id"] for action in self.freezer.jobs[name]["job_actions"]]

    def count_requests(self) -> Counter[str]:
        """Return how often each collection was listed, and single jobs were asked for."""
        paths = [each.removeprefix("GET ") for each in self.freezer.requests if "GET " in each]
        return Counter("job" if path.startswith("jobs/") else path for path in paths)

    def _spend_time(self, request: str) -> None:
        if request == "GET jobs":
            self.seconds += 1


def other_job_ids(count: int) -> Iterable[str]:
    return (f"theirs-{number}" for number in range(count))


@pytest.fixture
def harness() -> StatusHarness:
    return StatusHarness()


@pytest.fixture
def reader(harness: StatusHarness) -> JobStatusReader:
    return JobStatusReader(harness.freezer, lambda: harness.seconds)


def test_many_jobs_end_by_records_in_one_request(
    harness: StatusHarness, reader: JobStatusReader
) -> None:
    wanted = harness.create_jobs("a", "b", "c")
    reader.read_status(wanted)
    harness.freezer.requests.clear()
    harness.end_job("b")
    snapshot = reader.read_status(wanted)
    assert {name: job.state for name, job in snapshot.jobs.items()} == {
        "a": JobState.RUNNING,
        "b": JobState.SUCCEEDED,
        "c": JobState.RUNNING,
    }
    assert [action.id for action in snapshot.jobs["b"].actions] == harness.action_ids("b")
    assert snapshot.records.keys() == {"b"}
    assert harness.count_requests() == {"backups": 1}


def test_unseen_job_with_records_gets_its_actions_from_the_list(
    harness: StatusHarness, reader: JobStatusReader
) -> None:
    wanted = harness.create_jobs("a", "b")
    reader.read_status(wanted)
    wanted |= harness.create_jobs("c", actions=2) | harness.create_jobs("d")
    harness.end_job("c", records=2)
    harness.freezer.requests.clear()
    snapshot = reader.read_status(wanted)
    assert snapshot.jobs["c"].state is JobState.SUCCEEDED
    assert snapshot.jobs["c"].client == "node1"
    assert [action.id for action in snapshot.jobs["c"].actions] == harness.action_ids("c")
    assert snapshot.jobs["d"].state is JobState.WAITING
    assert harness.count_requests() == {"backups": 1, "actions": 1}


def test_unseen_job_is_looked_up_when_idle(harness: StatusHarness, reader: JobStatusReader) -> None:
    wanted = harness.create_jobs("a", "b")
    reader.read_status(wanted)
    wanted |= harness.create_jobs("c", "d")
    harness.freezer.requests.clear()
    reader.read_status(wanted)
    assert harness.count_requests() == {"backups": 1}, "more may come"
    reader.read_status(wanted)
    harness.end_job("c")
    assert reader.read_status(wanted).jobs["c"].state is JobState.SUCCEEDED
    assert harness.count_requests() == {"backups": 3, "actions": 1}


def test_job_runs_until_every_action_has_a_record(
    harness: StatusHarness, reader: JobStatusReader
) -> None:
    wanted = harness.create_jobs("a", actions=3) | harness.create_jobs("b")
    reader.read_status(wanted)
    harness.end_job("a", records=2)
    snapshot = reader.read_status(wanted)
    assert snapshot.jobs["a"].state is JobState.RUNNING
    assert snapshot.records == {}
    harness.end_job("a", records=1)
    assert reader.read_status(wanted).jobs["a"].state is JobState.SUCCEEDED


def test_failed_job_without_record_is_found_in_the_list(
    harness: StatusHarness, reader: JobStatusReader
) -> None:
    wanted = harness.create_jobs("a", "b")
    reader.read_status(wanted)
    harness.end_job("a", "completed", "fail", records=0)
    assert reader.read_status(wanted).jobs["a"].state is JobState.RUNNING
    harness.seconds += 1 / LISTING_SHARE
    assert reader.read_status(wanted).jobs["a"].state is JobState.FAILED


def test_long_job_list_is_read_one_page_per_poll(
    harness: StatusHarness, reader: JobStatusReader
) -> None:
    wanted = harness.create_jobs(*(f"job-{number}" for number in range(5 * SCAN_PAGE_SIZE)))
    reader.read_status(wanted)
    harness.end_job("job-499", "completed", "fail", records=0)
    harness.freezer.requests.clear()
    harness.seconds += 5 / LISTING_SHARE
    for _ in range(4):
        assert reader.read_status(wanted).jobs["job-499"].state is JobState.RUNNING
        harness.seconds += 1 / LISTING_SHARE
    assert reader.read_status(wanted).jobs["job-499"].state is JobState.FAILED
    assert harness.count_requests() == {"backups": 5, "jobs": 5}


def test_job_list_is_read_less_often_while_jobs_end(
    harness: StatusHarness, reader: JobStatusReader
) -> None:
    wanted = harness.create_jobs("a", "b", "c", "d")
    reader.read_status(wanted)
    harness.end_job("a")
    harness.seconds += 1 / LISTING_SHARE
    reader.read_status(wanted)
    assert harness.count_requests()["jobs"] == 1
    harness.seconds += (REST_FACTOR - 1) / LISTING_SHARE
    reader.read_status(wanted)
    assert harness.count_requests()["jobs"] == 2


def test_jobs_that_end_during_a_scan_hide_no_other(
    harness: StatusHarness, reader: JobStatusReader
) -> None:
    wanted = harness.create_jobs(*(f"job-{number}" for number in range(3 * SCAN_PAGE_SIZE)))
    reader.read_status(wanted)
    harness.seconds += 4 / LISTING_SHARE
    reader.read_status(wanted)
    harness.end_job("job-0")
    reader.read_status(wanted)
    del wanted["job-0"]
    harness.freezer.delete_entry("jobs", "job-0")
    harness.end_job("job-100", "completed", "fail", records=0)
    harness.seconds += 1 / LISTING_SHARE
    assert reader.read_status(wanted).jobs["job-100"].state is JobState.FAILED


def test_job_missing_from_a_page_is_requested_by_id(
    harness: StatusHarness, reader: JobStatusReader
) -> None:
    wanted = harness.create_jobs("a", "b")
    harness.freezer.hidden = {"a"}
    assert reader.read_status(wanted | {"never": None}).jobs.keys() == {"a", "b"}
    assert harness.count_requests() == {"jobs": 1, "job": 2}


def test_deleted_job_is_not_in_the_next_snapshot(
    harness: StatusHarness, reader: JobStatusReader
) -> None:
    wanted = harness.create_jobs("a", "b")
    reader.read_status(wanted)
    harness.freezer.delete_entry("jobs", "a")
    harness.seconds += 1 / LISTING_SHARE
    assert reader.read_status(wanted).jobs.keys() == {"b"}


def test_job_without_expectation_is_looked_up(
    harness: StatusHarness, reader: JobStatusReader
) -> None:
    wanted = harness.create_jobs("a", "b", "restore")
    reader.read_status(wanted)
    harness.end_job("restore", "completed", "success", records=0)
    snapshot = reader.read_status(wanted | {"restore": None})
    assert snapshot.jobs["restore"].state is JobState.SUCCEEDED


def test_few_jobs_among_many_are_requested_by_id(
    harness: StatusHarness, reader: JobStatusReader
) -> None:
    harness.create_jobs(*other_job_ids(2500))
    wanted = dict.fromkeys(harness.create_jobs("a", "b"))
    reader.read_status(wanted)
    assert harness.count_requests() == {"jobs": 1, "job": 2}, "a page tells that there are too many"
    harness.freezer.requests.clear()
    reader.read_status(wanted)
    assert harness.count_requests() == {"job": 2}


def test_long_list_of_records_is_not_read_for_few_jobs(
    harness: StatusHarness, reader: JobStatusReader
) -> None:
    harness.add_records("old", 6000)
    wanted = harness.create_jobs("a", "b")
    for _ in range(3):
        reader.read_status(wanted)
    assert harness.count_requests() == {"jobs": 2, "backups": 2}, "two pages, once"


def test_no_jobs_send_no_request(harness: StatusHarness, reader: JobStatusReader) -> None:
    assert reader.read_status({}).jobs == {}
    assert not harness.count_requests()
