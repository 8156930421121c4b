"""Using up the id of a job that was never created; the real Freezer is tried in the e2e tests."""

from typing import Any

import pytest

from karbor_backup_core import BackendError, Leftover, Transient
from karbor_backup_freezer.api.cleanup import FreezerCleanup


class Freezer:
    """Jobs by id; each id is given once, and only to registered schedulers."""

    def __init__(self, *registered: str, predates_19: bool = False) -> None:
        self.predates_19 = predates_19
        self.registered = registered
        self.used: set[str] = set()
        self.jobs: dict[str, dict[str, Any]] = {}

    def create_job(self, document: dict[str, Any]) -> bool:
        if document["client_id"] not in self.registered:
            raise BackendError(f"Client not found with ID {document['client_id']}")
        if document["job_id"] in self.used:
            return False
        self.used.add(document["job_id"])
        self.jobs[document["job_id"]] = document
        return True

    def get_job(self, identifier: str) -> dict[str, Any] | None:
        return self.jobs.get(identifier)

    def delete_entry(self, _collection: str, identifier: str) -> None:
        self.jobs.pop(identifier, None)


def _retire(freezer: Freezer, *clients: str) -> list[Leftover]:
    return list(FreezerCleanup(freezer).retire("late", clients))  # type: ignore[arg-type]


def test_retire_uses_the_id_up_and_leaves_no_job() -> None:
    freezer = Freezer("one")
    assert _retire(freezer, "one") == []
    assert freezer.jobs == {}
    assert freezer.used == {"late"}
    assert _retire(freezer, "one") == []


def test_retire_goes_on_with_the_next_scheduler_where_one_is_not_registered() -> None:
    freezer = Freezer("two")
    assert _retire(freezer, "gone", "two") == []
    assert freezer.used == {"late"}


def test_retire_is_repeated_when_the_job_was_created_meanwhile() -> None:
    freezer = Freezer("one")
    freezer.create_job({"job_id": "late", "client_id": "one"})
    with pytest.raises(Transient, match="created while its operation was released"):
        _retire(freezer, "one")
    assert "late" in freezer.jobs


def test_retire_names_an_id_that_could_not_be_used_up() -> None:
    (left,) = _retire(Freezer("one"), "gone")
    assert (left.kind, left.id) == ("Freezer job", "late")
    assert "Client not found" in left.note


def test_retire_leaves_an_id_that_nobody_could_use_without_schedulers() -> None:
    freezer = Freezer()
    assert _retire(freezer) == []
    assert freezer.used == set()


def test_retire_leaves_ids_alone_where_the_api_cannot_tell_a_used_one() -> None:
    freezer = Freezer("one", predates_19=True)
    assert _retire(freezer, "one") == []
    assert freezer.used == set()
