"""Things to do later, each at its time."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from karbor_backup_core.agenda import Agenda

SOON = timedelta(milliseconds=1)
NEVER = timedelta(days=1)


@pytest.fixture
def agenda() -> Iterator[Agenda]:
    agenda = Agenda()
    yield agenda
    agenda.close()


def test_what_is_due_sooner_comes_first_whenever_it_was_entered(agenda: Agenda) -> None:
    order: list[str] = []
    over = threading.Event()
    agenda.after(NEVER, lambda: order.append("never"))
    agenda.after(SOON * 20, over.set)
    agenda.after(SOON * 10, lambda: order.append("second"))
    agenda.after(SOON, lambda: order.append("first"))
    assert over.wait(10)
    assert order == ["first", "second"]


def test_what_is_overdue_comes_at_once(agenda: Agenda) -> None:
    over = threading.Event()
    agenda.after(-NEVER, over.set)
    assert over.wait(10)


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_what_raises_ends_nothing_else(agenda: Agenda, error: type[BaseException]) -> None:
    def fail() -> None:
        raise error

    over = threading.Event()
    agenda.after(SOON, fail)
    agenda.after(SOON * 2, over.set)
    assert over.wait(10)


def test_delay_that_no_timer_can_wait_for_stops_nothing(agenda: Agenda) -> None:
    agenda.after(timedelta(days=400_000), lambda: None)
    over = threading.Event()
    agenda.after(SOON, over.set)
    assert over.wait(10)


def test_an_entry_can_be_forgotten_once(agenda: Agenda) -> None:
    event = agenda.after(NEVER, lambda: None)
    assert agenda.forget(event)
    assert not agenda.forget(event)


def test_no_thread_before_the_first_entry_and_none_after_the_close() -> None:
    agenda = Agenda()
    assert "karbor-backup-agenda" not in {thread.name for thread in threading.enumerate()}
    agenda.after(NEVER, lambda: None)
    agenda.close()
    agenda.after(SOON, lambda: None)
    assert "karbor-backup-agenda" not in {thread.name for thread in threading.enumerate()}
