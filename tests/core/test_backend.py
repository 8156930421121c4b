"""One configured backend: what goes in is checked, and so is what comes out."""

import logging
import threading
import traceback
from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import (
    RECEIPT_LIMIT,
    Ability,
    Backend,
    BackendError,
    Check,
    ContractViolation,
    Health,
    InvalidDocument,
    InvalidInput,
    KarborBackupError,
    Leftover,
    Operation,
    Outcome,
    Part,
    Progress,
    ProgressState,
    Resource,
    Result,
    StoreError,
    Support,
    Transient,
    UnknownBackend,
    Unsupported,
    Verb,
)
from karbor_backup_core.hookspecs import hookimpl
from karbor_backup_core.secrets import Secret
from karbor_backup_fake import FakeCloud
from tests.core.stub_backends import (
    IMAGE,
    INFO,
    PROTECTED,
    RUNNING,
    SUCCEEDED,
    VOLUME,
    ScriptedBackend,
    StubBackend,
)
from tests.support.strategies import operation

CANARY = "canary-of-a-secret"
RESTORE = operation(verb=Verb.RESTORE)


def progress_saying(text: str) -> Progress:
    """Return the answer of a failure that has this text wherever there can be one."""
    return Progress(
        ProgressState.FAILED,
        reason=text,
        parts=(Part(Resource(VOLUME, "volume-1"), Result.FAILED, text),),
        checks=(Check("data", verified=False, reason=text),),
        leftovers=(Leftover("job", "1", text),),
    )


def backend_answering(answer: Any, polled: Any = None, secrets: tuple[Secret, ...] = ()) -> Backend:
    """Return a backend whose calls all answer, or raise, this."""
    given_back = answer
    plugin = ScriptedBackend(given_back, polled)
    return Backend.from_plugin("here", plugin, (), secrets)


class TestLoad:
    def test_the_configuration_reaches_the_backend_with_its_secrets_wrapped(self) -> None:
        seen: list[Mapping[str, Any]] = []

        class Seeing(StubBackend):
            def __init__(self, configuration: Mapping[str, Any]) -> None:
                seen.append(configuration)

        Backend.load("here", Seeing, {"endpoint": "http://x", "password": CANARY})
        (configuration,) = seen
        assert configuration["endpoint"] == "http://x"
        assert configuration["password"].reveal() == CANARY

    def test_a_secret_may_be_a_reference(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("KARBOR_BACKUP_TEST_KEY", CANARY)
        reference = {"env": "KARBOR_BACKUP_TEST_KEY"}
        assert Backend.load("here", StubBackend, {"password": reference})

    def test_a_faulty_configuration_is_refused_with_all_faults(self) -> None:
        with pytest.raises(InvalidDocument, match="configuration of backend here") as caught:
            Backend.load("here", StubBackend, {"endpoin": 1, "endpoint": 2, "password": 3})
        assert set(caught.value.faults) == {
            "$.endpoin: unknown: did you mean 'endpoint'?",
            "$.endpoint: 2: give text",
            "$.password: this secret: give text",
        }

    def test_a_class_without_a_schema_is_refused(self) -> None:
        with pytest.raises(ContractViolation, match="no CONFIG_SCHEMA"):
            Backend.load("here", lambda _: StubBackend(), {})

    def test_exception_of_a_constructor_is_converted_without_secrets(self) -> None:
        class Failing(StubBackend):
            def __init__(self, configuration: Mapping[str, Any]) -> None:
                raise OSError(f"no login with {configuration['password'].reveal()}")

        with pytest.raises(BackendError, match=r"backend here cannot be made: OSError") as caught:
            Backend.load("here", Failing, {"password": CANARY})
        assert CANARY not in "".join(traceback.format_exception(caught.value))

    def test_a_configuration_that_makes_no_sense_is_the_users_fault(self) -> None:
        class Choosy(StubBackend):
            def __init__(self, configuration: Mapping[str, Any]) -> None:  # noqa: ARG002
                raise InvalidInput("a cloud or an endpoint, not both")

        with pytest.raises(InvalidInput, match="not both"):
            Backend.load("here", Choosy, {})

    def test_the_secrets_are_not_shown(self) -> None:
        assert CANARY not in repr(Backend.load("here", StubBackend, {"password": CANARY}))


class TestDescription:
    @pytest.mark.parametrize(
        ("info", "message"),
        [
            (None, "answered None: it must answer a BackendInfo"),
            ({"name": "small"}, "answered a dict"),
            (attrs.evolve(INFO, name=""), "must not be empty"),
            (attrs.evolve(INFO, name=5), r"\$\.name: expected str, got int"),
            (attrs.evolve(INFO, abilities={VOLUME: {"move": Ability(Support.SUPPORTED)}}),
             "faulty BackendInfo"),
            (attrs.evolve(INFO, abilities={VOLUME: {Verb.PROTECT: Ability(Support.COVERED)}}),
             "say in covered_by"),
            (attrs.evolve(INFO, abilities={
                VOLUME: {Verb.PROTECT: Ability(Support.SUPPORTED, {"type": "objekt"})}}),
             "no JSON Schema"),
        ],
    )  # fmt: skip
    def test_a_faulty_description_is_refused(self, info: Any, message: str) -> None:
        class Odd(StubBackend):
            @hookimpl
            def describe(self) -> Any:
                return info

        with pytest.raises(ContractViolation, match=message):
            Backend.from_plugin("here", Odd())

    def test_abilities_are_as_declared_and_otherwise_unsupported(self) -> None:
        backend = Backend.from_plugin("here", StubBackend())
        assert backend.ability(VOLUME, Verb.PROTECT).support is Support.SUPPORTED
        assert backend.ability(IMAGE, Verb.PROTECT).covered_by == "the server that uses it"
        assert backend.ability(VOLUME, Verb.VERIFY).reason == "nobody wrote it"
        for resource_type, verb in ((VOLUME, Verb.DELETE), ("OS::Heat::Stack", Verb.PROTECT)):
            ability = backend.ability(resource_type, verb)
            assert ability.support is Support.UNSUPPORTED
            assert f"does not declare {verb} for {resource_type}" in ability.reason
            assert f"its types are: {VOLUME}, {IMAGE}" in ability.reason

    def test_options_are_checked_by_the_schema_of_verb_and_type(self) -> None:
        backend = Backend.from_plugin("here", StubBackend())
        backend.check_options(VOLUME, Verb.PROTECT, {"backup_name": "x"})
        with pytest.raises(InvalidDocument, match=f"protect of {VOLUME} with backend here"):
            backend.check_options(VOLUME, Verb.PROTECT, {"name": "x"})
        with pytest.raises(Unsupported, match="cannot verify"):
            backend.check_options(VOLUME, Verb.VERIFY, {})


FAULTY: list[Any] = [
    None,
    {},
    "succeeded",
    ProgressState.SUCCEEDED,
    Progress(ProgressState.UNKNOWN),
    Progress("succeeded"),  # type: ignore[arg-type]
    attrs.evolve(RUNNING, receipt={"text": "x" * RECEIPT_LIMIT}),
    attrs.evolve(RUNNING, receipt=["a"]),
    attrs.evolve(RUNNING, receipt={"a": object()}),
    attrs.evolve(RUNNING, receipt={"key": Secret(CANARY)}),
    attrs.evolve(RUNNING, done="half"),
    attrs.evolve(RUNNING, done=float("nan")),
    attrs.evolve(RUNNING, reason=None),
    attrs.evolve(RUNNING, parts=[Part(Resource("t", "i"), "failed")]),
    attrs.evolve(SUCCEEDED, resources=("volume-2",)),
]


class TestAnswers:
    @pytest.mark.parametrize("state", [s for s in ProgressState if s is not ProgressState.UNKNOWN])
    def test_allowed_result_of_a_verb_is_returned(self, state: ProgressState) -> None:
        progress = Progress(state, receipt={"version": 1}, done=1, total=2.5, unit="bytes")
        assert backend_answering(progress).call_verb(RESTORE) == progress

    @pytest.mark.parametrize("answer", FAULTY)
    def test_forbidden_result_of_a_verb_is_refused(self, answer: Any) -> None:
        for verb in (Verb.PROTECT, Verb.RESTORE):
            with pytest.raises(
                ContractViolation, match=r"(restore|protect) of operation op-1"
            ) as caught:
                backend_answering(answer).call_verb(operation(verb=verb))
            assert CANARY not in str(caught.value)

    def test_a_protect_that_succeeded_has_a_handle(self) -> None:
        with pytest.raises(ContractViolation, match="without a handle"):
            backend_answering(SUCCEEDED).call_verb(operation())
        assert backend_answering(PROTECTED).call_verb(operation()) == PROTECTED
        assert backend_answering(SUCCEEDED).release(operation()) == SUCCEEDED

    @pytest.mark.parametrize("verb", list(Verb))
    def test_each_verb_calls_its_hook(self, verb: Verb) -> None:
        class Telling(StubBackend):
            @hookimpl
            def protect(self, operation: Operation) -> Any:
                return attrs.evolve(PROTECTED, reason=f"protect {operation.id}")

            @hookimpl
            def restore(self, operation: Operation) -> Any:
                return attrs.evolve(SUCCEEDED, reason=f"restore {operation.id}")

            @hookimpl
            def maintain(self, operation: Operation) -> Any:
                return attrs.evolve(SUCCEEDED, reason=f"maintain {operation.id}")

            @hookimpl
            def copy(self, operation: Operation) -> Any:
                return attrs.evolve(SUCCEEDED, reason=f"copy {operation.id}", handle={})

            @hookimpl
            def delete(self, operation: Operation) -> Any:
                return attrs.evolve(SUCCEEDED, reason=f"delete {operation.id}")

            @hookimpl
            def verify(self, operation: Operation) -> Any:
                return attrs.evolve(SUCCEEDED, reason=f"verify {operation.id}")

        answer = Backend.from_plugin("here", Telling()).call_verb(operation(verb=verb))
        assert answer.reason == f"{verb} op-1"

    @pytest.mark.parametrize(
        "state", [ProgressState.SUCCEEDED, ProgressState.RUNNING, ProgressState.READY]
    )
    def test_a_release_may_take_steps(self, state: ProgressState) -> None:
        assert backend_answering(Progress(state)).release(operation()).state is state

    @pytest.mark.parametrize("state", [ProgressState.UNKNOWN, ProgressState.CANCELLED])
    def test_a_release_is_neither_unknown_nor_cancelled(self, state: ProgressState) -> None:
        with pytest.raises(ContractViolation, match=f"release of operation op-1 answered {state}"):
            backend_answering(Progress(state)).release(operation())

    @pytest.mark.parametrize("taken", [True, False])
    def test_cancel_returns_whether_it_was_accepted(self, taken: bool) -> None:  # noqa: FBT001
        assert backend_answering(taken).cancel(operation()) is taken

    @pytest.mark.parametrize("answer", [None, 1, "yes", SUCCEEDED])
    def test_cancel_result_other_than_bool_is_refused(self, answer: Any) -> None:
        with pytest.raises(ContractViolation, match="neither True nor False"):
            backend_answering(answer).cancel(operation())

    @pytest.mark.parametrize("answer", [None, "", 5])
    def test_empty_scope_is_refused(self, answer: Any) -> None:
        assert Backend.from_plugin("here", StubBackend()).scope() == "somewhere"
        with pytest.raises(ContractViolation, match="must name a scope"):
            backend_answering(answer).scope()

    def test_health_of_wrong_type_is_refused(self) -> None:
        assert Backend.from_plugin("here", StubBackend()).health() == Health(
            ok=True, summary="fine"
        )
        for answer in (None, True, Health(ok="yes", summary="fine")):  # type: ignore[arg-type]
            with pytest.raises(ContractViolation, match="check"):
                backend_answering(answer).health()


class TestPoll:
    def test_every_operation_gets_its_answer(self) -> None:
        operations = [operation(id=str(number), receipt={"n": number}) for number in range(3)]
        states = [ProgressState.RUNNING, ProgressState.UNKNOWN, ProgressState.READY]
        answers = {each.id: Progress(state) for each, state in zip(operations, states, strict=True)}
        assert backend_answering(None, answers).poll(operations) == answers

    def test_poll_of_no_operations_calls_no_hook(self) -> None:
        assert backend_answering(None, None).poll([]) == {}

    @pytest.mark.parametrize(
        "answer", [answer for answer in FAULTY if answer != Progress(ProgressState.UNKNOWN)]
    )
    def test_one_faulty_answer_fails_that_operation_alone(self, answer: Any) -> None:
        operations = [operation(id="good"), operation(id="bad")]
        polled = backend_answering(None, {"good": RUNNING, "bad": answer}).poll(operations)
        assert polled["good"] == RUNNING
        assert polled["bad"].state is ProgressState.FAILED
        assert "poll of operation bad answered" in polled["bad"].reason
        assert CANARY not in polled["bad"].reason

    def test_an_operation_without_an_answer_has_failed(self) -> None:
        polled = backend_answering(None, {}).poll([operation()])
        assert polled["op-1"].state is ProgressState.FAILED
        assert "answered None" in polled["op-1"].reason

    def test_a_protect_that_succeeded_has_a_handle_unless_it_is_over(self) -> None:
        over = operation(id="over", outcome=Outcome(Result.CANCELLED))
        answers = {"op-1": SUCCEEDED, "over": SUCCEEDED}
        polled = backend_answering(None, answers).poll([operation(), over])
        assert polled["op-1"].state is ProgressState.FAILED
        assert polled["over"] == SUCCEEDED

    def test_only_a_verb_changes_the_receipt(self) -> None:
        kept = operation(id="kept", receipt={"a": 1})
        changed = operation(id="changed", receipt={"a": 1})
        answers = {
            "kept": attrs.evolve(RUNNING, receipt={"a": 1}),
            "changed": attrs.evolve(RUNNING, receipt={"a": 2}),
        }
        polled = backend_answering(None, answers).poll([kept, changed])
        assert polled["kept"].state is ProgressState.RUNNING
        assert "only a verb or release may change it" in polled["changed"].reason

    def test_answers_that_nobody_asked_for_are_logged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        polled = backend_answering(None, {"op-1": RUNNING, "stranger": RUNNING}).poll([operation()])
        assert list(polled) == ["op-1"]
        assert "stranger" in caplog.text

    @pytest.mark.parametrize("answer", [None, [], RUNNING])
    def test_value_that_is_no_mapping_is_refused(self, answer: Any) -> None:
        with pytest.raises(ContractViolation, match="no mapping"):
            backend_answering(None, answer).poll([operation()])


class TestFailures:
    @pytest.mark.parametrize(
        "failure",
        [Transient("busy", 3), BackendError("no"), Unsupported("no"), InvalidInput("no"),
         ContractViolation("no")],
    )  # fmt: skip
    def test_exception_of_the_contract_is_unchanged(self, failure: KarborBackupError) -> None:
        with pytest.raises(type(failure)) as caught:
            backend_answering(failure).call_verb(operation())
        assert caught.value is failure

    @pytest.mark.parametrize(
        "failure", [ValueError("odd"), KeyError("odd"), StoreError("odd"), TimeoutError("odd")]
    )
    def test_anything_else_is_final_and_keeps_its_cause(self, failure: Exception) -> None:
        name = type(failure).__name__
        with pytest.raises(BackendError, match=f"backend here: protect: {name}: .*odd") as caught:
            backend_answering(failure).call_verb(operation())
        assert not isinstance(caught.value, Transient)
        assert caught.value.__cause__ is failure

    @pytest.mark.parametrize("delay", ["Wed, 21 Oct", -1, float("nan"), float("inf"), True])
    def test_a_delay_that_is_none_is_left_out(self, delay: Any) -> None:
        with pytest.raises(Transient) as caught:
            backend_answering(Transient("busy", delay)).call_verb(operation())
        assert caught.value.retry_after is None

    @given(st.sampled_from([Transient, BackendError, InvalidInput, ValueError, KeyError]))
    def test_no_secret_is_in_what_is_raised_nor_in_what_is_behind_it(
        self, cls: type[Exception]
    ) -> None:
        failure = cls(f"gave up: {CANARY}")
        failure.__cause__ = LookupError(f"key {CANARY}")
        failure.__cause__.__context__ = OSError(5, f"cannot open with {CANARY}", f"/{CANARY}")
        with pytest.raises(KarborBackupError) as caught:
            backend_answering(failure, secrets=(Secret(CANARY),)).call_verb(operation())
        text = "".join(traceback.format_exception(caught.value))
        assert "gave up: ***" in text
        assert "cannot open with ***" in text
        assert CANARY not in text

    def test_text_that_cannot_be_sanitized_is_cut(self) -> None:
        class Sticky(Exception):
            def __str__(self) -> str:
                return f"sticky {CANARY}"

        group = ExceptionGroup("several", [Sticky()])
        noted = ValueError("noted")
        noted.add_note(CANARY)
        for failure in (Sticky(), group, noted):
            with pytest.raises(BackendError) as caught:
                backend_answering(failure, secrets=(Secret(CANARY),)).call_verb(operation())
            assert CANARY not in "".join(traceback.format_exception(caught.value))
            assert caught.value.__cause__ is None

    def test_one_of_ours_that_cannot_be_cleaned_keeps_its_kind(self) -> None:
        class Sticky(Transient):
            def __str__(self) -> str:
                return f"sticky {CANARY}"

        with pytest.raises(Transient, match=r"^sticky \*\*\*$"):
            backend_answering(Sticky(""), secrets=(Secret(CANARY),)).call_verb(operation())

    def test_faults_of_a_document_are_cleaned_too(self) -> None:
        failure = InvalidDocument(f"options {CANARY}", [f"$.a: {CANARY}"])
        with pytest.raises(InvalidDocument) as caught:
            backend_answering(failure, secrets=(Secret(CANARY),)).call_verb(operation())
        assert caught.value.faults == ("$.a: ***",)
        assert CANARY not in repr(vars(caught.value))

    def test_no_secret_is_in_the_texts_of_an_answer(self) -> None:
        said = f"with {CANARY}"
        progress = progress_saying(said)
        secrets = (Secret(CANARY),)
        backend = backend_answering(progress, {"op-1": progress}, secrets)
        polled = backend.poll([operation()])["op-1"]
        for answer in (backend.call_verb(operation()), backend.release(operation()), polled):
            assert CANARY not in repr(answer)
            assert answer.leftovers[0].note == "with ***"
        health = Health(ok=False, summary=said, details={said: [{"a": said, "n": 1}]})
        assert CANARY not in repr(backend_answering(health, secrets=secrets).health())

    @pytest.mark.parametrize("secrets", [(), (Secret(CANARY),)], ids=["open", "secret"])
    def test_no_reason_is_endless(self, secrets: tuple[Secret, ...]) -> None:
        said = "x" * 1_000_000
        progress = progress_saying(said)
        backend = backend_answering(progress, {"op-1": progress}, secrets)
        polled = backend.poll([operation()])["op-1"]
        for answer in (backend.call_verb(operation()), backend.release(operation()), polled):
            assert len(repr(answer)) < 10_000
            assert "(1000000 characters)" in answer.reason
        for error in (Transient(said), BackendError(said), InvalidInput(said), ValueError(said)):
            with pytest.raises(KarborBackupError, match=r"x{1900}") as caught:
                backend_answering(error, secrets=secrets).call_verb(operation())
            assert len(str(caught.value)) < 2100
            assert isinstance(
                caught.value, type(error) if type(error) is not ValueError else BackendError
            )
        health = backend_answering(Health(ok=False, summary=said), secrets=secrets).health()
        assert len(health.summary) < 2100


class ChangeRecorder:
    def __init__(self, failure: Exception | None = None) -> None:
        self.heard: list[tuple[Operation, Operation | None]] = []
        self.failure = failure

    @hookimpl
    def operation_changed(self, operation: Operation, before: Operation | None) -> None:
        self.heard.append((operation, before))
        if self.failure:
            raise self.failure


class TestChangeNotification:
    def test_every_extension_is_notified_whatever_the_others_do(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        listeners = [
            ChangeRecorder(OSError(f"no socket {CANARY}")),
            ChangeRecorder(),
            ChangeRecorder(ValueError()),
        ]
        backend = Backend.load("here", StubBackend, {"password": CANARY}, listeners)
        before, after = operation(), operation(version=2)
        with caplog.at_level(logging.ERROR):
            backend.notify_extensions(after, before)
        assert [listener.heard for listener in listeners] == [[(after, before)]] * 3
        assert "OSError: no socket ***" in caplog.text
        assert CANARY not in caplog.text
        assert len(caplog.records) == 2

    def test_calls_come_one_at_a_time(self) -> None:
        backends: list[Backend] = []
        entered: list[bool] = []

        class Exclusive:
            @hookimpl
            def operation_changed(self) -> None:
                other = threading.Thread(
                    target=lambda: entered.append(backends[0]._hooks._lock.acquire(blocking=False))
                )
                other.start()
                other.join()

        backends.append(Backend.from_plugin("here", StubBackend(), [Exclusive()]))
        backends[0].notify_extensions(operation(), None)
        assert entered == [False]

    def test_an_extension_may_cause_a_change_itself(self) -> None:
        backends: list[Backend] = []
        heard: list[str] = []

        class Busy:
            @hookimpl
            def operation_changed(self, operation: Operation) -> None:
                heard.append(operation.id)
                if operation.id == "first":
                    backends[0].notify_extensions(attrs.evolve(operation, id="second"), None)

        backends.append(Backend.from_plugin("here", StubBackend(), [Busy()]))
        backends[0].notify_extensions(operation(id="first"), None)
        assert heard == ["first", "second"]


def test_backend_is_loaded_by_the_name_of_its_entry_point() -> None:
    assert Backend.load("fake").info.name == "fake"
    backend = Backend.load("lab", "fake", {"cloud": "by name"})
    assert (backend.name, backend.info.name, backend.scope()) == ("lab", "fake", "fake:by name")


def test_misspelt_entry_point_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(UnknownBackend, match="did you mean 'fake'"):
        Backend.load("lab", "fakes")


def test_arguments_reach_the_class_of_the_backend() -> None:
    assert Backend.load("lab", "fake", cloud=FakeCloud("given")).scope() == "fake:given"


def test_argument_that_the_class_does_not_take_is_refused() -> None:
    with pytest.raises(BackendError, match="cannot be made"):
        Backend.load("lab", "fake", colour="blue")


@pytest.mark.parametrize("given", [None, 5, ""])
def test_what_is_no_configured_name_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInput, match="give its configured name"):
        Backend.load(given, "fake")


@pytest.mark.parametrize("given", ["cloud=lab", [("cloud", "lab")], 5])
def test_configuration_that_is_no_object_is_refused(given: Any) -> None:
    with pytest.raises(InvalidDocument, match=r"backend lab: .*expected an object"):
        Backend.load("lab", "fake", given)


@pytest.mark.parametrize("given", [5, "logs"])
def test_extensions_that_are_no_list_are_refused(given: Any) -> None:
    with pytest.raises(InvalidInput, match="give a list of objects"):
        Backend.load("lab", "fake", {}, given)


@pytest.mark.parametrize(
    ("given", "message"),
    [(ChangeRecorder, "is a class: give an instance"), (object(), "implements no hook")],
)
def test_extension_without_hooks_of_its_own_is_refused(given: Any, message: str) -> None:
    with pytest.raises(ContractViolation, match=message):
        Backend.load("lab", "fake", {}, [given])
