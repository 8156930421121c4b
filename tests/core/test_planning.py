"""What planning refuses and what it fills in; the runner's tests show the rest."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from karbor_backup_core import (
    Backend,
    Backup,
    ContractViolation,
    HasDependents,
    InvalidDocument,
    InvalidInput,
    MemoryStore,
    Operation,
    Resource,
    Runner,
    State,
    Verb,
    WrongScope,
    hookimpl,
    plan_delete,
    plan_maintenance,
    plan_protect,
    plan_restore,
    plan_verify,
)
from karbor_backup_fake import FakeBackend, FakeCloud

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
PROJECT = Resource("OS::Keystone::Project", "p1")
SERVER = Resource("OS::Nova::Server", "s1")
PLANNERS: Mapping[Verb, Callable[..., Operation]] = {
    Verb.PROTECT: plan_protect,
    Verb.RESTORE: plan_restore,
    Verb.DELETE: plan_delete,
    Verb.VERIFY: plan_verify,
}


@pytest.fixture
def backend() -> Backend:
    return Backend.from_plugin("mine", FakeBackend({}, cloud=FakeCloud("here")))


@pytest.fixture
def project_backup() -> Backup:
    whole = Backup(
        id="b1",
        resource=PROJECT,
        backend="fake",
        scope="fake:here",
        handle={},
        storage="here",
        created_at=NOW,
    )
    member = attrs.evolve(whole, id="b1/s1", resource=SERVER)
    return attrs.evolve(whole, members=(member,))


def plan_with_defaults(backend: Backend, verb: Verb, target: Resource | Backup) -> Operation:
    options = {Verb.PROTECT: {"backup_name": "n"}, Verb.RESTORE: {"restore_name": "n"}}
    return PLANNERS[verb](backend, target, options.get(verb), now=NOW, deadline=HOUR)


def test_a_plan_names_who_does_what_where_and_until_when(backend: Backend) -> None:
    operation = plan_with_defaults(backend, Verb.PROTECT, SERVER)
    assert (operation.backend, operation.implementation) == ("mine", "fake")
    assert (operation.scope, operation.deadline) == ("fake:here", NOW + HOUR)
    assert (operation.state, operation.phase) == (State.PLANNED, 0)


def test_every_plan_has_an_id_of_its_own(backend: Backend) -> None:
    ids = {plan_with_defaults(backend, Verb.PROTECT, SERVER).id for _ in range(20)}
    assert len(ids) == 20


def test_options_are_kept_as_they_were_when_planned(backend: Backend) -> None:
    options = {"backup_name": "n"}
    operation = plan_protect(backend, SERVER, options, now=NOW, deadline=HOUR)
    options["backup_name"] = "changed"
    assert operation.options == {"backup_name": "n"}


def test_a_member_is_restored_alone_but_holds_the_whole(
    backend: Backend, project_backup: Backup
) -> None:
    (member,) = project_backup.members
    operation = plan_with_defaults(backend, Verb.RESTORE, member)
    assert operation.resource == SERVER
    assert operation.backup_id == project_backup.id


def test_a_member_is_not_deleted_alone(backend: Backend, project_backup: Backup) -> None:
    (member,) = project_backup.members
    with pytest.raises(InvalidInput, match="delete the whole, b1"):
        plan_with_defaults(backend, Verb.DELETE, member)


def test_scope_that_is_configured_as_the_same_is_accepted_and_stays_on_record(
    project_backup: Backup,
) -> None:
    elsewhere = attrs.evolve(project_backup, scope="fake:old name")
    configuration = {"same_as": ["fake:old name"]}
    accepting = Backend.load("mine", FakeBackend, configuration)
    ours = accepting.scope()
    operation = plan_with_defaults(accepting, Verb.DELETE, elsewhere)
    assert operation.scope == ours
    assert operation.backup is not None
    assert operation.backup.scope == "fake:old name"
    refusing = Backend.load("mine", FakeBackend, {})
    with pytest.raises(WrongScope, match=r'same_as = \["fake:old name"\]'):
        plan_with_defaults(refusing, Verb.DELETE, elsewhere)


@pytest.mark.parametrize("value", ["text", [1], [""], {"a": 1}])
def test_bad_same_as_is_refused_with_its_place(value: object) -> None:
    with pytest.raises(InvalidDocument, match=r"\$\.same_as"):
        Backend.load("mine", FakeBackend, {"same_as": value})


class ChainBackend(FakeBackend):
    """Names what it is told to name as dependents."""

    answer: Any = ()

    @hookimpl
    def dependents(self) -> Any:
        return self.answer


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch) -> Backend:
    """Return a backend whose backup b1 others need; ``ChainBackend.answer`` says which."""
    monkeypatch.setattr(ChainBackend, "answer", ("b3", "b2"))
    return Backend.from_plugin("mine", ChainBackend({}, cloud=FakeCloud("here")))


def test_delete_of_a_backup_that_others_need_is_refused_and_names_them(
    chain: Backend, project_backup: Backup
) -> None:
    with pytest.raises(HasDependents, match=r"b1 is needed.*in this order: b3, b2$") as refused:
        plan_delete(chain, project_backup)
    assert (refused.value.backup_id, refused.value.dependents) == ("b1", ("b3", "b2"))
    for verb in (Verb.RESTORE, Verb.VERIFY):
        assert plan_with_defaults(chain, verb, project_backup).verb is verb


def test_dependents_are_asked_for_again_when_a_delete_is_submitted(
    chain: Backend, project_backup: Backup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ChainBackend, "answer", [])
    planned = plan_delete(chain, project_backup)
    monkeypatch.setattr(ChainBackend, "answer", ["b2"])
    store = MemoryStore()
    with Runner(store, [chain]) as runner, pytest.raises(HasDependents):
        runner.submit(planned)
    assert not store.operations()


@pytest.mark.parametrize("answer", [None, "b2", {"b2"}, [7], [""]])
def test_dependents_that_are_no_names_break_the_contract(
    chain: Backend, project_backup: Backup, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    monkeypatch.setattr(ChainBackend, "answer", answer)
    with pytest.raises(ContractViolation, match="backend mine: dependents"):
        plan_delete(chain, project_backup)


def test_maintenance_is_planned_without_a_backup(backend: Backend) -> None:
    planned = plan_maintenance(backend, "prune", now=NOW, deadline=HOUR)
    assert (planned.verb, planned.action, planned.backup) == (Verb.MAINTAIN, "prune", None)
    assert planned.resource == Resource("prune", "fake:here")
    assert plan_with_defaults(backend, Verb.PROTECT, SERVER).action == ""


def test_maintenance_leaves_no_backup_and_can_be_planned_long_before(backend: Backend) -> None:
    planned = plan_maintenance(backend, "check", now=NOW, deadline=HOUR)
    store = MemoryStore()
    with Runner(store, [backend]) as runner:
        for future in (runner.submit(planned), runner.maintain("mine", "prune")):
            assert future.result(60).succeeded
    assert not store.backups()


@pytest.mark.parametrize(
    ("action", "options", "message"),
    [
        (
            "purne",
            {},
            "cannot maintain purne: did you mean 'prune'.*its maintenance is: check, prune",
        ),
        (SERVER.type, {}, "its maintenance is"),
        ("prune", {"no_such": 1}, "options for maintain of prune with backend mine"),
        (7, {}, "action 7: give a text"),
    ],
)
def test_maintenance_that_cannot_be_is_refused(
    backend: Backend, action: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        plan_maintenance(backend, action, options, now=NOW)


def test_maintenance_takes_no_backup(backend: Backend, project_backup: Backup) -> None:
    runner = Runner(MemoryStore(), [backend])
    with runner, pytest.raises(InvalidInput, match="maintain takes a resource"):
        runner.plan("mine", "maintain", project_backup)  # type: ignore[call-overload]


def test_backend_that_declares_maintenance_needs_its_hook() -> None:
    class Declares(FakeBackend):
        maintain = None

    with pytest.raises(ContractViolation, match="declares maintain: implement the hook maintain"):
        Backend.from_plugin("mine", Declares({}))
