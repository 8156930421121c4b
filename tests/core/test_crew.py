"""Operations are advanced by a few threads, each once, and none after the close."""

import threading
from collections.abc import Callable, Iterator

import pytest

from karbor_backup_core.crew import Crew
from karbor_backup_core.model import Operation
from tests.strategies import operation

LONG = 30.0
THREADS = 3


class Site:
    """A crew that works until it is told to stop waiting.

    Attributes:
        advanced: the ids of what was advanced, in order.
        gate: what each advance waits for.
        all_busy: passed once every thread is at work.
    """

    def __init__(self) -> None:
        self.advanced: list[str] = []
        self.gate = threading.Event()
        self.all_busy = threading.Barrier(THREADS + 1, timeout=LONG)
        self.crew = Crew(THREADS, self._advance)
        self.also: Callable[[Operation], None] = lambda _: None

    def _advance(self, what: Operation) -> None:
        if not self.gate.is_set():
            self.all_busy.wait()
            self.gate.wait(LONG)
        self.advanced.append(what.id)
        self.also(what)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.gate.set()
    site.crew.close()


def test_a_few_threads_advance_everything_in_its_order(site: Site) -> None:
    done = threading.Event()
    site.also = lambda what: done.set() if what.id == "last" else None
    ids = [f"op-{number}" for number in range(50)]
    for each in [*ids, "last"]:
        site.crew.add(operation(id=each))
    site.all_busy.wait()
    assert site.advanced == []
    site.gate.set()
    assert done.wait(LONG)
    site.crew.close()
    assert sorted(site.advanced) == sorted([*ids, "last"])


def test_what_was_idle_works_again(site: Site) -> None:
    site.gate.set()
    for number in range(10):
        done = threading.Event()
        site.also = lambda _, done=done: done.set()  # type: ignore[misc]
        site.crew.add(operation(id=f"op-{number}"))
        assert done.wait(LONG)
    assert len(site.advanced) == 10


def test_what_waits_when_the_crew_is_closed_is_not_begun(site: Site) -> None:
    for number in range(10):
        site.crew.add(operation(id=f"op-{number}"))
    site.all_busy.wait()
    closing = threading.Thread(target=site.crew.close)
    closing.start()
    while site.crew._waiting:
        pass
    site.gate.set()
    closing.join()
    site.crew.add(operation(id="late"))
    assert len(site.advanced) == THREADS
