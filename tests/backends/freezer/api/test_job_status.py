"""Which requests are made to see how jobs stand, and what is made of the answers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs
import pytest

from karbor_backup_freezer.api.job_status import (
    LISTING_SHARE,
    REST_FACTOR,
    SCAN_PAGE_SIZE,
    ExpectedJob,
    JobStatusReader,
)
from karbor_backup_freezer.api.jobs import JobState


@attrs.define
class FakeFreezer:
    """A Freezer that takes a second for a page of jobs, and no time for all else."""

    seconds: float = 0.0
    jobs: dict[str, dict[str, Any]] = attrs.field(factory=dict)
    actions: list[dict[str, Any]] = attrs.field(factory=list)
    backups: list[dict[str, Any]] = attrs.field(factory=list)
    asked: Counter[str] = attrs.field(factory=Counter)
    hidden: set[str] = attrs.field(factory=set)
    """Jobs that a list misses, since its pages shift."""

    def now(self) -> float:
        return self.seconds

    def create_jobs(self, *names: str, actions: int = 1) -> dict[str, ExpectedJob | None]:
        """Create jobs as a protect does; answer what is known of them."""
        for name in names:
            own = [_action(f"{name}-{number}", f"top/{name}%%") for number in range(actions)]
            schedule = {"status": "running"}
            self.jobs[name] = {"job_id": name, "job_schedule": schedule, "job_actions": own}
            self.actions += own
        return {name: ExpectedJob("node1", f"top/{name}%") for name in names}

    def end_job(
        self, name: str, status: str = "running", result: str = "", records: int = 1
    ) -> None:
        """Let a job end; its scheduler may not have said so yet."""
        self.jobs[name]["job_schedule"] = {"status": status, "result": result}
        self.backups += [{"backup_metadata": {"job_id": name}}] * records

    def get_job(self, identifier: str) -> dict[str, Any] | None:
        self.asked["job"] += 1
        return self.jobs.get(identifier)

    def iter_entries(self, collection: str) -> Iterator[dict[str, Any]]:
        self.asked[collection] += 1
        yield from {"actions": self.actions, "backups": self.backups}[collection]

    def get_page(self, collection: str, *, limit: int, offset: int) -> Sequence[dict[str, Any]]:
        self.asked[collection] += 1
        self.seconds += 1
        listed = [job for name, job in self.jobs.items() if name not in self.hidden]
        return listed[offset : offset + limit]

    def iter_pages(self, collection: str) -> Iterator[Sequence[dict[str, Any]]]:
        for start in range(0, len(self.jobs) + 1, SCAN_PAGE_SIZE):
            yield self.get_page(collection, limit=SCAN_PAGE_SIZE, offset=start)


def _action(identifier: str, container: str) -> dict[str, Any]:
    return {"action_id": identifier, "freezer_action": {"container": container}}


def other_job_ids(count: int) -> Iterable[str]:
    return (f"theirs-{number}" for number in range(count))


@pytest.fixture
def freezer() -> FakeFreezer:
    return FakeFreezer()


@pytest.fixture
def reader(freezer: FakeFreezer) -> JobStatusReader:
    return JobStatusReader(freezer, freezer.now)  # type: ignore[arg-type]


def test_many_jobs_end_by_records_in_one_request(
    freezer: FakeFreezer, reader: JobStatusReader
) -> None:
    wanted = freezer.create_jobs("a", "b", "c")
    reader.read_status(wanted)
    freezer.asked.clear()
    freezer.end_job("b")
    snapshot = reader.read_status(wanted)
    assert {name: job.state for name, job in snapshot.jobs.items()} == {
        "a": JobState.RUNNING,
        "b": JobState.SUCCEEDED,
        "c": JobState.RUNNING,
    }
    assert [action.id for action in snapshot.jobs["b"].actions] == ["b-0"]
    assert snapshot.records.keys() == {"b"}
    assert freezer.asked == {"backups": 1}


def test_a_job_that_was_never_seen_is_known_by_its_actions(
    freezer: FakeFreezer, reader: JobStatusReader
) -> None:
    wanted = freezer.create_jobs("a", "b")
    reader.read_status(wanted)
    wanted |= freezer.create_jobs("c", actions=2) | freezer.create_jobs("d")
    freezer.end_job("c", records=2)
    freezer.asked.clear()
    snapshot = reader.read_status(wanted)
    assert snapshot.jobs["c"].state is JobState.SUCCEEDED
    assert snapshot.jobs["c"].client == "node1"
    assert [action.id for action in snapshot.jobs["c"].actions] == ["c-0", "c-1"]
    assert snapshot.jobs["d"].state is JobState.WAITING
    assert freezer.asked == {"backups": 1, "actions": 1}


def test_unseen_job_is_looked_up_when_idle(freezer: FakeFreezer, reader: JobStatusReader) -> None:
    wanted = freezer.create_jobs("a", "b")
    reader.read_status(wanted)
    wanted |= freezer.create_jobs("c", "d")
    freezer.asked.clear()
    reader.read_status(wanted)
    assert freezer.asked == {"backups": 1}, "more may come"
    reader.read_status(wanted)
    freezer.end_job("c")
    assert reader.read_status(wanted).jobs["c"].state is JobState.SUCCEEDED
    assert freezer.asked == {"backups": 3, "actions": 1}


def test_a_job_goes_on_until_all_that_it_backs_up_is_recorded(
    freezer: FakeFreezer, reader: JobStatusReader
) -> None:
    wanted = freezer.create_jobs("a", actions=3) | freezer.create_jobs("b")
    reader.read_status(wanted)
    freezer.end_job("a", records=2)
    snapshot = reader.read_status(wanted)
    assert snapshot.jobs["a"].state is JobState.RUNNING
    assert snapshot.records == {}
    freezer.end_job("a", records=1)
    assert reader.read_status(wanted).jobs["a"].state is JobState.SUCCEEDED


def test_failed_job_without_record_is_found_in_the_list(
    freezer: FakeFreezer, reader: JobStatusReader
) -> None:
    wanted = freezer.create_jobs("a", "b")
    reader.read_status(wanted)
    freezer.end_job("a", "completed", "fail", records=0)
    assert reader.read_status(wanted).jobs["a"].state is JobState.RUNNING
    freezer.seconds += 1 / LISTING_SHARE
    assert reader.read_status(wanted).jobs["a"].state is JobState.FAILED


def test_a_thousand_jobs_are_gone_through_a_page_at_a_time(
    freezer: FakeFreezer, reader: JobStatusReader
) -> None:
    wanted = freezer.create_jobs(*(f"job-{number}" for number in range(5 * SCAN_PAGE_SIZE)))
    reader.read_status(wanted)
    freezer.end_job("job-499", "completed", "fail", records=0)
    freezer.asked.clear()
    freezer.seconds += 5 / LISTING_SHARE
    for _ in range(4):
        assert reader.read_status(wanted).jobs["job-499"].state is JobState.RUNNING
        freezer.seconds += 1 / LISTING_SHARE
    assert reader.read_status(wanted).jobs["job-499"].state is JobState.FAILED
    assert freezer.asked == {"backups": 5, "jobs": 5}


def test_while_work_ends_the_list_waits_but_not_for_ever(
    freezer: FakeFreezer, reader: JobStatusReader
) -> None:
    wanted = freezer.create_jobs("a", "b", "c", "d")
    reader.read_status(wanted)
    freezer.end_job("a")
    freezer.seconds += 1 / LISTING_SHARE
    reader.read_status(wanted)
    assert freezer.asked["jobs"] == 1
    freezer.seconds += (REST_FACTOR - 1) / LISTING_SHARE
    reader.read_status(wanted)
    assert freezer.asked["jobs"] == 2


def test_jobs_that_end_during_a_scan_hide_no_other(
    freezer: FakeFreezer, reader: JobStatusReader
) -> None:
    wanted = freezer.create_jobs(*(f"job-{number}" for number in range(3 * SCAN_PAGE_SIZE)))
    reader.read_status(wanted)
    freezer.seconds += 4 / LISTING_SHARE
    reader.read_status(wanted)
    freezer.end_job("job-0")
    reader.read_status(wanted)
    del wanted["job-0"], freezer.jobs["job-0"]
    freezer.end_job("job-100", "completed", "fail", records=0)
    freezer.seconds += 1 / LISTING_SHARE
    assert reader.read_status(wanted).jobs["job-100"].state is JobState.FAILED


def test_a_job_that_a_page_missed_is_asked_for_alone(
    freezer: FakeFreezer, reader: JobStatusReader
) -> None:
    wanted = freezer.create_jobs("a", "b")
    freezer.hidden = {"a"}
    assert reader.read_status(wanted | {"never": None}).jobs.keys() == {"a", "b"}
    assert freezer.asked == {"jobs": 1, "job": 2}


def test_a_job_that_somebody_deleted_is_not_remembered(
    freezer: FakeFreezer, reader: JobStatusReader
) -> None:
    wanted = freezer.create_jobs("a", "b")
    reader.read_status(wanted)
    del freezer.jobs["a"]
    freezer.seconds += 1 / LISTING_SHARE
    assert reader.read_status(wanted).jobs.keys() == {"b"}


def test_job_without_expectation_is_looked_up(
    freezer: FakeFreezer, reader: JobStatusReader
) -> None:
    wanted = freezer.create_jobs("a", "b", "restore")
    reader.read_status(wanted)
    freezer.end_job("restore", "completed", "success", records=0)
    snapshot = reader.read_status(wanted | {"restore": None})
    assert snapshot.jobs["restore"].state is JobState.SUCCEEDED


def test_few_among_many_are_asked_for_alone(freezer: FakeFreezer, reader: JobStatusReader) -> None:
    freezer.create_jobs(*other_job_ids(2500))
    wanted = dict.fromkeys(freezer.create_jobs("a", "b"))
    reader.read_status(wanted)
    assert freezer.asked == {"jobs": 1, "job": 2}, "a page tells that there are too many"
    freezer.asked.clear()
    reader.read_status(wanted)
    assert freezer.asked == {"job": 2}


def test_a_long_history_of_backups_is_not_read_for_a_few_jobs(
    freezer: FakeFreezer, reader: JobStatusReader
) -> None:
    freezer.backups += [{"backup_metadata": {"job_id": "old"}}] * 6000
    wanted = freezer.create_jobs("a", "b")
    for _ in range(3):
        reader.read_status(wanted)
    assert freezer.asked == {"jobs": 2, "backups": 1}


def test_no_jobs_send_no_request(freezer: FakeFreezer, reader: JobStatusReader) -> None:
    assert reader.read_status({}).jobs == {}
    assert not freezer.asked
