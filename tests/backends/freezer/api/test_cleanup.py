"""Using up the id of a job that was never created; the real Freezer is tried in the e2e tests."""

import pytest

from karbor_backup_core import Leftover, Transient
from karbor_backup_freezer.api.cleanup import FreezerCleanup
from tests.support.fake_freezer import FakeFreezer


def _retire(freezer: FakeFreezer, *clients: str) -> list[Leftover]:
    return list(FreezerCleanup(freezer).retire("late", clients))


def test_retire_uses_up_the_id_and_leaves_no_job() -> None:
    freezer = FakeFreezer("one")
    assert _retire(freezer, "one") == []
    assert freezer.jobs == {}
    assert freezer.used_job_ids == {"late"}
    assert _retire(freezer, "one") == []


def test_retire_tries_the_next_scheduler_when_one_is_not_registered() -> None:
    freezer = FakeFreezer("two")
    assert _retire(freezer, "gone", "two") == []
    assert freezer.used_job_ids == {"late"}


def test_retire_is_repeated_when_the_job_was_created_meanwhile() -> None:
    freezer = FakeFreezer("one")
    freezer.create_job({"job_id": "late", "client_id": "one"})
    with pytest.raises(Transient, match="created while its operation was released"):
        _retire(freezer, "one")
    assert "late" in freezer.jobs


def test_retire_names_an_id_that_could_not_be_used_up() -> None:
    (left,) = _retire(FakeFreezer("one"), "gone")
    assert (left.kind, left.id) == ("Freezer job", "late")
    assert "Client not found" in left.note


def test_retire_without_schedulers_creates_nothing() -> None:
    freezer = FakeFreezer()
    assert _retire(freezer) == []
    assert freezer.used_job_ids == set()


def test_retire_creates_nothing_on_an_api_before_19() -> None:
    freezer = FakeFreezer("one")
    freezer.predates_19 = True
    assert _retire(freezer, "one") == []
    assert freezer.used_job_ids == set()
