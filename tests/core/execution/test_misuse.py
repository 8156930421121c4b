"""What a program may get wrong is refused before anything is stored or sent."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import attrs
import pytest

from karbor_backup_core import (
    Backend,
    Backup,
    Conflict,
    InvalidDocument,
    InvalidInput,
    MemoryStore,
    Operation,
    Outcome,
    Resource,
    Result,
    Runner,
    RunnerClosed,
    State,
    UnknownBackend,
    Verb,
    WrongBackend,
    WrongScope,
    plan_delete,
    plan_protect,
)
from karbor_backup_fake import FakeBackend, FakeCloud
from karbor_backup_fake.faults import StallJob

VOLUME = Resource("OS::Cinder::Volume", "v1", "data")
OPTIONS = {"backup_name": "nightly"}
LONG = 60.0
BACKUP = Backup(
    id="b1",
    resource=VOLUME,
    backend="fake",
    scope="fake:here",
    handle={},
    storage="here",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
)

Misuse = Callable[[Any], object]
"""What is done with a runner; its annotations do not matter."""


@pytest.fixture
def cloud() -> FakeCloud:
    cloud = FakeCloud("here")
    cloud.add_resource(VOLUME, b"bytes")
    return cloud


@pytest.fixture
def backend(cloud: FakeCloud) -> Backend:
    return Backend.from_plugin("cloud", FakeBackend({}, cloud=cloud))


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def runner(backend: Backend, store: MemoryStore) -> Iterator[Runner]:
    with Runner(store, [backend]) as runner:
        yield runner


_PLANS: Mapping[str, tuple[Misuse, type[Exception], str]] = {
    "delete of a resource": (
        lambda runner: runner.plan("cloud", Verb.DELETE, VOLUME),
        InvalidInput,
        r"delete takes a backup \(a Backup\), not a Resource",
    ),
    "protect of a backup": (
        lambda runner: runner.plan("cloud", Verb.PROTECT, BACKUP),
        InvalidInput,
        r"protect takes a resource \(a Resource\), not a Backup",
    ),
    "short protect of a backup": (
        lambda runner: runner.protect("cloud", BACKUP, OPTIONS),
        InvalidInput,
        "not a Backup",
    ),
    "short restore of a resource": (
        lambda runner: runner.restore("cloud", VOLUME, {"restore_name": "again"}),
        InvalidInput,
        "not a Resource",
    ),
    "short delete of a resource": (
        lambda runner: runner.delete("cloud", VOLUME),
        InvalidInput,
        "not a Resource",
    ),
    "short verify of a resource": (
        lambda runner: runner.verify("cloud", VOLUME),
        InvalidInput,
        "not a Resource",
    ),
    "id instead of a resource": (
        lambda runner: runner.protect("cloud", "v1", OPTIONS),
        InvalidInput,
        "not a str",
    ),
    "id instead of a backup": (
        lambda runner: runner.delete("cloud", "b1"),
        InvalidInput,
        "not a str",
    ),
    "no target": (
        lambda runner: runner.restore("cloud", None),
        InvalidInput,
        "not a NoneType",
    ),
    "misspelt verb": (
        lambda runner: runner.plan("cloud", "protekt", VOLUME, OPTIONS),
        InvalidInput,
        "'protekt': did you mean 'protect'. there are: protect, restore, delete, verify",
    ),
    "verb of another type": (
        lambda runner: runner.plan("cloud", ["protect"], VOLUME, OPTIONS),
        InvalidInput,
        "there are: protect, restore, delete, verify",
    ),
    "unknown backend": (
        lambda runner: runner.protect("clout", VOLUME, OPTIONS),
        UnknownBackend,
        "did you mean 'cloud'",
    ),
    "no backend": (
        lambda runner: runner.protect(None, VOLUME, OPTIONS),
        UnknownBackend,
        "there are: cloud",
    ),
    "backend that cannot be a key": (
        lambda runner: runner.protect(["cloud"], VOLUME, OPTIONS),
        UnknownBackend,
        "there are: cloud",
    ),
    "id that is no text": (
        lambda runner: runner.protect("cloud", Resource(VOLUME.type, 7), OPTIONS),  # type: ignore[arg-type]
        InvalidDocument,
        r"\$\.id",
    ),
    "type that is no text": (
        lambda runner: runner.protect("cloud", Resource(None, "v1"), OPTIONS),  # type: ignore[arg-type]
        InvalidDocument,
        r"\$\.type",
    ),
    "backup with a broken handle": (
        lambda runner: runner.delete("cloud", attrs.evolve(BACKUP, handle="text")),
        InvalidDocument,
        r"handle",
    ),
    "backup without an instant": (
        lambda runner: runner.delete("cloud", attrs.evolve(BACKUP, created_at="yesterday")),
        InvalidDocument,
        "created_at",
    ),
    "options that are a text": (
        lambda runner: runner.protect("cloud", VOLUME, "backup_name=nightly"),
        InvalidDocument,
        "expected an object, got str",
    ),
    "empty options that are a list": (
        lambda runner: runner.delete("cloud", BACKUP, []),
        InvalidDocument,
        "expected an object, got list",
    ),
    "options that are no JSON": (
        lambda runner: runner.protect("cloud", VOLUME, {"backup_name": {1, 2}}),
        InvalidDocument,
        "set is no type of JSON",
    ),
    "seconds as a deadline": (
        lambda runner: runner.protect("cloud", VOLUME, OPTIONS, deadline=3600),
        InvalidInput,
        "deadline 3600: give a datetime.timedelta",
    ),
    "no time at all": (
        lambda runner: runner.protect("cloud", VOLUME, OPTIONS, deadline=timedelta()),
        InvalidInput,
        "give a positive duration",
    ),
    "operation instead of its id": (
        lambda runner: runner.resume(runner.plan("cloud", "protect", VOLUME, OPTIONS)),
        InvalidInput,
        "give the id of an operation, not a Operation",
    ),
    "wait for no id": (lambda runner: runner.wait(None), InvalidInput, "not a NoneType"),
    "cancel of no id": (lambda runner: runner.cancel(7), InvalidInput, "not a int"),
}


@pytest.mark.parametrize(("misuse", "error", "message"), _PLANS.values(), ids=_PLANS.keys())
def test_misuse_is_refused_before_anything_is_stored(
    runner: Runner,
    cloud: FakeCloud,
    store: MemoryStore,
    misuse: Misuse,
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        misuse(runner)
    assert store.operations() == []
    assert not cloud.requests


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb is not Verb.MAINTAIN])
def test_value_of_a_verb_is_taken_as_the_verb(runner: Runner, verb: Verb) -> None:
    target = VOLUME if verb is Verb.PROTECT else BACKUP
    options = {Verb.PROTECT: OPTIONS, Verb.RESTORE: {"restore_name": "again"}}.get(verb)
    plan: Callable[..., Operation] = runner.plan
    assert plan("cloud", verb.value, target, options).verb is verb


def test_plan_stores_nothing(runner: Runner, store: MemoryStore, cloud: FakeCloud) -> None:
    planned = runner.plan("cloud", "protect", VOLUME, OPTIONS)
    assert planned.state is State.PLANNED
    assert store.operations() == []
    assert not cloud.requests
    assert runner.submit(planned).result(LONG).state is State.RELEASED


def test_time_of_a_planned_operation_runs_from_its_submission_on(
    runner: Runner, backend: Backend
) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    planned = plan_protect(backend, VOLUME, OPTIONS, deadline=timedelta(hours=1), now=long_ago)
    submitted = runner.submit(planned)
    assert submitted.operation.deadline - submitted.operation.created_at == timedelta(hours=1)
    outcome = submitted.result(LONG).outcome
    assert outcome is not None
    assert outcome.result is Result.SUCCEEDED, outcome.reason


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"state": State.RUNNING, "phase": 1}, InvalidInput, "is not as it was planned"),
        ({"state": State.RELEASED}, InvalidInput, "is not as it was planned"),
        ({"outcome": Outcome(Result.SUCCEEDED)}, InvalidInput, "is not as it was planned"),
        ({"cancel_requested": True}, InvalidInput, "is not as it was planned"),
        ({"version": 3}, InvalidInput, "is not as it was planned"),
        ({"backup": BACKUP}, InvalidInput, "is not as it was planned"),
        ({"verb": "protect"}, InvalidDocument, r"\$\.verb"),
        ({"verb": Verb.DELETE}, InvalidInput, "not a NoneType"),
        ({"resource": BACKUP}, InvalidDocument, r"\$\.resource"),
        ({"options": {}}, InvalidDocument, "backup_name"),
        ({"backend": "elsewhere"}, UnknownBackend, "elsewhere"),
        ({"implementation": "freezer"}, InvalidInput, "is not as it was planned"),
        ({"scope": "fake:elsewhere"}, WrongScope, "fake:elsewhere"),
        ({"id": "../../etc"}, InvalidInput, "is not the id of an operation"),
        ({"deadline": datetime(2020, 1, 1, tzinfo=UTC)}, InvalidInput, "positive duration"),
    ],
    ids=repr,
)
def test_operation_that_is_not_as_planned_is_not_submitted(
    runner: Runner,
    store: MemoryStore,
    cloud: FakeCloud,
    change: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    planned = runner.plan("cloud", "protect", VOLUME, OPTIONS)
    with pytest.raises(error, match=message):
        runner.submit(attrs.evolve(planned, **change))
    assert store.operations() == []
    assert not cloud.requests


@pytest.mark.parametrize("given", [None, "an id", VOLUME, BACKUP])
def test_submit_refuses_what_is_no_operation(runner: Runner, given: Any) -> None:
    with pytest.raises(InvalidInput, match="give an Operation"):
        runner.submit(given)


def test_operation_is_not_submitted_twice(
    runner: Runner, cloud: FakeCloud, store: MemoryStore
) -> None:
    cloud.faults.plan("create_job", StallJob())
    planned = runner.plan("cloud", "protect", VOLUME, OPTIONS)
    first = runner.submit(planned)
    with pytest.raises(Conflict):
        runner.submit(planned)
    runner.cancel(first.id)
    first.result(LONG)
    with pytest.raises(Conflict):
        runner.submit(planned)
    assert len(store.operations()) == 1


def test_backup_of_another_kind_of_backend_is_refused(runner: Runner, store: MemoryStore) -> None:
    with pytest.raises(WrongBackend, match="freezer"):
        runner.delete("cloud", attrs.evolve(BACKUP, backend="freezer"))
    assert store.operations() == []


def test_closed_runner_refuses_operations(backend: Backend, store: MemoryStore) -> None:
    runner = Runner(store, [backend])
    planned = runner.plan("cloud", "protect", VOLUME, OPTIONS)
    runner.close()
    with pytest.raises(RunnerClosed, match="closed, and nothing was stored"):
        runner.submit(planned)
    with pytest.raises(RunnerClosed):
        runner.protect("cloud", VOLUME, OPTIONS)
    assert store.operations() == []


def test_operation_that_nobody_drives_is_not_waited_for(
    runner: Runner, backend: Backend, store: MemoryStore
) -> None:
    left = store.add(plan_protect(backend, VOLUME, OPTIONS))
    with pytest.raises(InvalidInput, match="this runner does not drive it: resume it"):
        runner.wait(left.id)
    assert runner.operation(left.id) == left


def test_backend_under_another_name_is_refused(backend: Backend, store: MemoryStore) -> None:
    with pytest.raises(InvalidInput, match="backend 'cloud' is given as 'lab': use one name"):
        Runner(store, {"lab": backend})


def test_two_backends_of_one_name_are_refused(backend: Backend, store: MemoryStore) -> None:
    other = Backend.from_plugin("cloud", FakeBackend({}, cloud=FakeCloud("there")))
    with pytest.raises(InvalidInput, match="two backends are named 'cloud'"):
        Runner(store, [backend, other])


@pytest.mark.parametrize("given", [None, 7, "cloud", ["cloud"], {"cloud": "fake"}])
def test_runner_without_backends_is_refused(store: MemoryStore, given: Any) -> None:
    with pytest.raises(InvalidInput, match=r"give (a Backend|several)"):
        Runner(store, given)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("policy", {"attempts": 3}),
        ("clock", 5),
        ("threads", 0),
        ("threads", "8"),
        ("threads", True),
        ("on_change", "print"),
        ("on_lost", []),
    ],
)
def test_argument_of_another_type_is_refused(
    backend: Backend, store: MemoryStore, argument: str, value: Any
) -> None:
    with pytest.raises(InvalidInput, match=argument):
        Runner(store, [backend], **{argument: value})


@pytest.mark.parametrize("given", [None, MemoryStore, "postgresql://user:canary@host/db"])
def test_what_is_no_store_is_refused_without_its_value(backend: Backend, given: Any) -> None:
    with pytest.raises(InvalidInput, match="give a store") as caught:
        Runner(given, [backend])
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("given", [None, 5, BACKUP, ["cloud"]])
def test_what_is_no_name_of_a_backend_is_told_by_its_type(runner: Runner, given: Any) -> None:
    with pytest.raises(UnknownBackend, match=f"type {type(given).__name__} is not configured"):
        runner.protect(given, VOLUME, OPTIONS)


@pytest.mark.parametrize("timeout", ["5", timedelta(seconds=5), float("nan")])
def test_timeout_in_another_form_is_refused(runner: Runner, timeout: Any) -> None:
    future = runner.protect("cloud", VOLUME, OPTIONS)
    for wait in (future.result, partial(runner.wait, future.id)):
        with pytest.raises(InvalidInput, match="give a number of seconds"):
            wait(timeout)
    assert future.result().succeeded


def test_resource_without_an_id_is_refused(runner: Runner, store: MemoryStore) -> None:
    with pytest.raises(InvalidInput, match="Volume without an id"):
        runner.protect("cloud", Resource("OS::Cinder::Volume", ""), OPTIONS)
    assert store.operations() == []


def test_single_backend_is_refused_in_place_of_several(
    backend: Backend, store: MemoryStore
) -> None:
    with pytest.raises(InvalidInput, match="give several, as a list or by name"):
        Runner(store, backend)  # type: ignore[arg-type]


def test_backend_is_asked_about_verbs_as_text(backend: Backend) -> None:
    assert backend.ability(VOLUME.type, "protect") == backend.ability(VOLUME.type, Verb.PROTECT)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="did you mean 'protect'"):
        backend.ability(VOLUME.type, "protekt")  # type: ignore[arg-type]


@pytest.mark.parametrize("given", ["cloud", None])
def test_plan_without_a_backend_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInput, match="give a Backend"):
        plan_delete(given, BACKUP)


def test_plan_at_an_instant_without_a_zone_is_refused(backend: Backend) -> None:
    with pytest.raises(InvalidInput, match="with its zone"):
        plan_protect(backend, VOLUME, OPTIONS, now=datetime(2026, 1, 1))  # noqa: DTZ001 - it is the fault
