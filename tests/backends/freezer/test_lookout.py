"""Which requests are made to see how jobs stand, and what is made of the answers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import attrs
import pytest

from karbor_backup_freezer.jobs import Stage
from karbor_backup_freezer.lookout import PATIENCE, ROUND_PAGE, SHARE, Expected, Lookout


@attrs.define
class Freezer:
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

    def add(self, *names: str, actions: int = 1) -> dict[str, Expected | None]:
        """Create jobs as a protect does; answer what is known of them."""
        for name in names:
            own = [_action(f"{name}-{number}", f"top/{name}%%") for number in range(actions)]
            schedule = {"status": "running"}
            self.jobs[name] = {"job_id": name, "job_schedule": schedule, "job_actions": own}
            self.actions += own
        return {name: Expected("node1", f"top/{name}%") for name in names}

    def end(self, name: str, status: str = "running", result: str = "", records: int = 1) -> None:
        """Let a job end; its scheduler may not have said so yet."""
        self.jobs[name]["job_schedule"] = {"status": status, "result": result}
        self.backups += [{"backup_metadata": {"job_id": name}}] * records

    def job(self, identifier: str) -> dict[str, Any] | None:
        self.asked["job"] += 1
        return self.jobs.get(identifier)

    def all(self, collection: str) -> Iterator[dict[str, Any]]:
        self.asked[collection] += 1
        yield from {"actions": self.actions, "backups": self.backups}[collection]

    def page(self, collection: str, *, limit: int, offset: int) -> Sequence[dict[str, Any]]:
        self.asked[collection] += 1
        self.seconds += 1
        listed = [job for name, job in self.jobs.items() if name not in self.hidden]
        return listed[offset : offset + limit]

    def pages(self, collection: str) -> Iterator[Sequence[dict[str, Any]]]:
        for start in range(0, len(self.jobs) + 1, ROUND_PAGE):
            yield self.page(collection, limit=ROUND_PAGE, offset=start)


def _action(identifier: str, container: str) -> dict[str, Any]:
    return {"action_id": identifier, "freezer_action": {"container": container}}


def strangers(count: int) -> Iterable[str]:
    return (f"theirs-{number}" for number in range(count))


@pytest.fixture
def freezer() -> Freezer:
    return Freezer()


@pytest.fixture
def lookout(freezer: Freezer) -> Lookout:
    return Lookout(freezer, freezer.now)  # type: ignore[arg-type]


def test_many_ends_are_seen_in_the_records_for_one_request(
    freezer: Freezer, lookout: Lookout
) -> None:
    wanted = freezer.add("a", "b", "c")
    lookout.look(wanted)
    freezer.asked.clear()
    freezer.end("b")
    sight = lookout.look(wanted)
    assert {name: job.stage for name, job in sight.jobs.items()} == {
        "a": Stage.RUNNING,
        "b": Stage.SUCCEEDED,
        "c": Stage.RUNNING,
    }
    assert [action.id for action in sight.jobs["b"].actions] == ["b-0"]
    assert sight.records.keys() == {"b"}
    assert freezer.asked == {"backups": 1}


def test_a_job_that_was_never_seen_is_known_by_its_actions(
    freezer: Freezer, lookout: Lookout
) -> None:
    wanted = freezer.add("a", "b")
    lookout.look(wanted)
    wanted |= freezer.add("c", actions=2) | freezer.add("d")
    freezer.end("c", records=2)
    freezer.asked.clear()
    sight = lookout.look(wanted)
    assert sight.jobs["c"].stage is Stage.SUCCEEDED
    assert sight.jobs["c"].client == "node1"
    assert [action.id for action in sight.jobs["c"].actions] == ["c-0", "c-1"]
    assert sight.jobs["d"].stage is Stage.WAITING
    assert freezer.asked == {"backups": 1, "actions": 1}


def test_what_was_never_seen_is_looked_up_when_nothing_else_goes_on(
    freezer: Freezer, lookout: Lookout
) -> None:
    wanted = freezer.add("a", "b")
    lookout.look(wanted)
    wanted |= freezer.add("c", "d")
    freezer.asked.clear()
    lookout.look(wanted)
    assert freezer.asked == {"backups": 1}, "more may come"
    lookout.look(wanted)
    freezer.end("c")
    assert lookout.look(wanted).jobs["c"].stage is Stage.SUCCEEDED
    assert freezer.asked == {"backups": 3, "actions": 1}


def test_a_job_goes_on_until_all_that_it_backs_up_is_recorded(
    freezer: Freezer, lookout: Lookout
) -> None:
    wanted = freezer.add("a", actions=3) | freezer.add("b")
    lookout.look(wanted)
    freezer.end("a", records=2)
    sight = lookout.look(wanted)
    assert sight.jobs["a"].stage is Stage.RUNNING
    assert sight.records == {}
    freezer.end("a", records=1)
    assert lookout.look(wanted).jobs["a"].stage is Stage.SUCCEEDED


def test_what_failed_leaves_no_record_and_is_seen_in_the_list(
    freezer: Freezer, lookout: Lookout
) -> None:
    wanted = freezer.add("a", "b")
    lookout.look(wanted)
    freezer.end("a", "completed", "fail", records=0)
    assert lookout.look(wanted).jobs["a"].stage is Stage.RUNNING
    freezer.seconds += 1 / SHARE
    assert lookout.look(wanted).jobs["a"].stage is Stage.FAILED


def test_a_thousand_jobs_are_gone_through_a_page_at_a_time(
    freezer: Freezer, lookout: Lookout
) -> None:
    wanted = freezer.add(*(f"job-{number}" for number in range(5 * ROUND_PAGE)))
    lookout.look(wanted)
    freezer.end("job-499", "completed", "fail", records=0)
    freezer.asked.clear()
    freezer.seconds += 5 / SHARE
    for _ in range(4):
        assert lookout.look(wanted).jobs["job-499"].stage is Stage.RUNNING
        freezer.seconds += 1 / SHARE
    assert lookout.look(wanted).jobs["job-499"].stage is Stage.FAILED
    assert freezer.asked == {"backups": 5, "jobs": 5}


def test_while_work_ends_the_list_waits_but_not_for_ever(
    freezer: Freezer, lookout: Lookout
) -> None:
    wanted = freezer.add("a", "b", "c", "d")
    lookout.look(wanted)
    freezer.end("a")
    freezer.seconds += 1 / SHARE
    lookout.look(wanted)
    assert freezer.asked["jobs"] == 1
    freezer.seconds += (PATIENCE - 1) / SHARE
    lookout.look(wanted)
    assert freezer.asked["jobs"] == 2


def test_what_ends_on_the_way_hides_no_other(freezer: Freezer, lookout: Lookout) -> None:
    wanted = freezer.add(*(f"job-{number}" for number in range(3 * ROUND_PAGE)))
    lookout.look(wanted)
    freezer.seconds += 4 / SHARE
    lookout.look(wanted)
    freezer.end("job-0")
    lookout.look(wanted)
    del wanted["job-0"], freezer.jobs["job-0"]
    freezer.end("job-100", "completed", "fail", records=0)
    freezer.seconds += 1 / SHARE
    assert lookout.look(wanted).jobs["job-100"].stage is Stage.FAILED


def test_a_job_that_a_page_missed_is_asked_for_alone(freezer: Freezer, lookout: Lookout) -> None:
    wanted = freezer.add("a", "b")
    freezer.hidden = {"a"}
    assert lookout.look(wanted | {"never": None}).jobs.keys() == {"a", "b"}
    assert freezer.asked == {"jobs": 1, "job": 2}


def test_a_job_that_somebody_deleted_is_not_remembered(freezer: Freezer, lookout: Lookout) -> None:
    wanted = freezer.add("a", "b")
    lookout.look(wanted)
    del freezer.jobs["a"]
    freezer.seconds += 1 / SHARE
    assert lookout.look(wanted).jobs.keys() == {"b"}


def test_what_must_be_looked_at_itself_is(freezer: Freezer, lookout: Lookout) -> None:
    wanted = freezer.add("a", "b", "restore")
    lookout.look(wanted)
    freezer.end("restore", "completed", "success", records=0)
    sight = lookout.look(wanted | {"restore": None})
    assert sight.jobs["restore"].stage is Stage.SUCCEEDED


def test_few_among_many_are_asked_for_alone(freezer: Freezer, lookout: Lookout) -> None:
    freezer.add(*strangers(2500))
    wanted = dict.fromkeys(freezer.add("a", "b"))
    lookout.look(wanted)
    assert freezer.asked == {"jobs": 1, "job": 2}, "a page tells that there are too many"
    freezer.asked.clear()
    lookout.look(wanted)
    assert freezer.asked == {"job": 2}


def test_a_long_history_of_backups_is_not_read_for_a_few_jobs(
    freezer: Freezer, lookout: Lookout
) -> None:
    freezer.backups += [{"backup_metadata": {"job_id": "old"}}] * 6000
    wanted = freezer.add("a", "b")
    for _ in range(3):
        lookout.look(wanted)
    assert freezer.asked == {"jobs": 2, "backups": 1}


def test_nothing_is_asked_for_nothing(freezer: Freezer, lookout: Lookout) -> None:
    assert lookout.look({}).jobs == {}
    assert not freezer.asked
