"""Workflows: which steps are executed, asked, cancelled and reverted, and in which order."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from karbor_backup_core import (
    BackendError,
    Backup,
    InvalidInput,
    Leftover,
    Operation,
    Outcome,
    Progress,
    ProgressState,
    Resource,
    Result,
    Retry,
    State,
    Step,
    StepCall,
    Transient,
    Verb,
    Workflow,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RUNNING = Progress(ProgressState.RUNNING)
READY = Progress(ProgressState.READY)
SUCCEEDED = Progress(ProgressState.SUCCEEDED)
UNKNOWN = Progress(ProgressState.UNKNOWN)


def _operation(step: str = "", **more: Any) -> Operation:
    given: dict[str, Any] = {"receipt": {"step": step, "note": 1} if step else None, **more}
    return Operation(
        id=given.pop("id", "op"),
        verb=Verb.PROTECT,
        backend="b",
        implementation="b",
        scope="s",
        resource=Resource("T", "1"),
        created_at=NOW,
        deadline=NOW,
        state=given.pop("state", State.RUNNING),
        **given,
    )


@attrs.define
class Script:
    """What the scripted steps return, by method and step, and what was called."""

    answers: dict[tuple[str, str], Any] = attrs.field(factory=dict)
    called: list[str] = attrs.field(factory=list)

    def answer(self, method: str, call: StepCall, step: str, default: Any) -> Any:
        self.called.append(f"{method} {step} at {call.step}")
        answer = self.answers.get((method, step), default)
        if isinstance(answer, Exception):
            raise answer
        return answer


def _make_step(name: str, script: Script) -> Step[StepCall]:
    class ScriptedStep(Step[StepCall]):
        def execute(self, call: StepCall) -> Progress:
            progress: Progress = script.answer("execute", call, self.name, SUCCEEDED)
            return progress

        def status(self, call: StepCall) -> Progress:
            progress: Progress = script.answer("status", call, self.name, super().status(call))
            return progress

        def cancel(self, call: StepCall) -> bool:
            taken: bool = script.answer("cancel", call, self.name, super().cancel(call))
            return taken

        def revert(self, call: StepCall) -> Progress:
            progress: Progress = script.answer("revert", call, self.name, super().revert(call))
            return progress

    ScriptedStep.name = name
    return ScriptedStep()


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def workflow(script: Script) -> Workflow[StepCall]:
    return Workflow({Verb.PROTECT: [_make_step(name, script) for name in "abc"]}, StepCall)


def test_complete_steps_follow_each_other_in_one_call(
    workflow: Workflow[StepCall], script: Script
) -> None:
    script.answers["execute", "b"] = attrs.evolve(SUCCEEDED, receipt={"made": 2})
    script.answers["execute", "c"] = attrs.evolve(SUCCEEDED, handle={"h": 1})
    assert workflow.execute(_operation()) == Progress(
        ProgressState.SUCCEEDED, handle={"h": 1}, receipt={"made": 2, "step": "c"}
    )
    assert script.called == ["execute a at ", "execute b at a", "execute c at b"]


@pytest.mark.parametrize("progress", [RUNNING, READY])
def test_step_that_is_not_complete_is_executed_again(
    workflow: Workflow[StepCall], script: Script, progress: Progress
) -> None:
    script.answers["execute", "b"] = attrs.evolve(progress, receipt={"made": 2})
    begun = workflow.execute(_operation())
    assert begun == attrs.evolve(progress, receipt={"made": 2, "step": "b"})
    del script.answers["execute", "b"]
    script.called.clear()
    ended = workflow.execute(attrs.evolve(_operation(), receipt=begun.receipt))
    assert ended.receipt == {"made": 2, "step": "c"}
    assert script.called == ["execute b at b", "execute c at b"]


def test_failed_step_ends_the_operation(workflow: Workflow[StepCall], script: Script) -> None:
    script.answers["execute", "a"] = Progress(ProgressState.FAILED, reason="broken")
    assert workflow.execute(_operation()).reason == "broken"
    assert script.called == ["execute a at "]


def test_own_paths_reach_every_step() -> None:
    seen: list[Sequence[str]] = []

    class Recorder(Step[StepCall]):
        name = "only"

        def execute(self, call: StepCall) -> Progress:
            seen.append(call.own_paths)
            return SUCCEEDED

    Workflow({Verb.PROTECT: [Recorder()]}, StepCall).execute(_operation(), ["/store"])
    assert seen == [["/store"]]


def test_status_is_that_of_the_last_step_that_knows_of_work(
    workflow: Workflow[StepCall], script: Script
) -> None:
    script.answers["status", "a"] = READY
    script.answers["status", "b"] = RUNNING
    assert workflow.status([_operation(state=State.SUBMITTING)])["op"] == RUNNING
    assert script.called == ["status c at ", "status b at "]
    script.called.clear()
    assert workflow.status([_operation("c")])["op"] == UNKNOWN
    assert script.called == ["status c at c"]


@pytest.mark.parametrize(
    ("answer", "expected"), [(UNKNOWN, READY), (READY, READY), (SUCCEEDED, READY), (RUNNING,) * 2]
)
def test_status_after_the_outcome_is_running_while_one_step_is(
    workflow: Workflow[StepCall], script: Script, answer: Progress, expected: Progress
) -> None:
    script.answers["status", "a"] = answer
    ended = _operation("b", state=State.RELEASING, outcome=Outcome(Result.FAILED))
    assert workflow.status([ended])["op"] == expected


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (Transient("down"), ProgressState.RUNNING),
        (BackendError("down"), ProgressState.FAILED),
        (InvalidInput("down"), ProgressState.FAILED),
    ],
)
def test_fault_of_one_operation_is_its_own(
    workflow: Workflow[StepCall], script: Script, error: Exception, state: ProgressState
) -> None:
    script.answers["status", "c"] = error
    script.answers["status", "a"] = READY
    polled = workflow.status([_operation("c", id="bad"), _operation("nothing", id="odd")])
    assert polled["bad"] == Progress(state, reason="down")
    assert polled["odd"].state is ProgressState.FAILED
    assert "'nothing'" in polled["odd"].reason


def test_all_calls_of_a_poll_are_observed_at_once(script: Script) -> None:
    observed: list[list[tuple[str, list[str]]]] = []

    def observe(asked: Sequence[tuple[StepCall, Sequence[Step[StepCall]]]]) -> None:
        assert script.called == []
        observed.append([(c.operation.id, [step.name for step in steps]) for c, steps in asked])

    steps = [_make_step(name, script) for name in "ab"]
    workflow = Workflow({Verb.PROTECT: steps}, StepCall, observe)
    workflow.status([_operation(id="one"), _operation("b", id="two")])
    assert observed == [[("one", ["b", "a"]), ("two", ["b"])]]


def test_call_of_an_unchanged_operation_is_made_once(script: Script) -> None:
    made: list[str] = []

    def new_call(operation: Operation, own_paths: Sequence[str]) -> StepCall:
        made.append(operation.id)
        return StepCall(operation, own_paths)

    workflow = Workflow({Verb.PROTECT: [_make_step("a", script)]}, new_call)
    one = _operation(id="one")
    workflow.status([one])
    workflow.status([one, _operation(id="two")])
    workflow.status([attrs.evolve(one, retry=Retry(failures=1))])
    assert made == ["one", "two", "one"]


def test_steps_are_reverted_from_the_last_to_the_first(
    workflow: Workflow[StepCall], script: Script
) -> None:
    left, again = Leftover("volume", "1", "first"), Leftover("volume", "1", "again")
    script.answers["revert", "c"] = attrs.evolve(
        SUCCEEDED, leftovers=(left, Leftover("job", "2")), receipt={"noted": 1}
    )
    script.answers["revert", "a"] = attrs.evolve(SUCCEEDED, leftovers=(again,))
    reverted = workflow.revert(_operation("b", outcome=Outcome(Result.FAILED)))
    assert script.called == ["revert c at b", "revert b at b", "revert a at b"]
    assert reverted.state is ProgressState.SUCCEEDED
    assert reverted.leftovers == (again, Leftover("job", "2"))
    assert reverted.receipt == {"noted": 1, "step": "b"}


def test_step_that_is_still_reverted_keeps_those_before_it(
    workflow: Workflow[StepCall], script: Script
) -> None:
    script.answers["revert", "b"] = attrs.evolve(RUNNING, receipt={"asked": 1})
    reverted = workflow.revert(_operation(outcome=Outcome(Result.CANCELLED)))
    assert reverted == attrs.evolve(RUNNING, receipt={"asked": 1})
    assert script.called == ["revert c at ", "revert b at "]


def test_release_without_a_receipt_writes_none(workflow: Workflow[StepCall]) -> None:
    assert workflow.revert(_operation(outcome=Outcome(Result.FAILED))) == SUCCEEDED


def test_cancel_asks_until_a_step_takes_it(workflow: Workflow[StepCall], script: Script) -> None:
    assert not workflow.cancel(_operation("b"))
    assert script.called == ["cancel c at b", "cancel b at b"]
    script.answers["cancel", "b"] = True
    assert workflow.cancel(_operation())


@pytest.mark.parametrize("names", ["", "aa"])
def test_steps_without_names_of_their_own_are_refused(script: Script, names: str) -> None:
    with pytest.raises(ValueError, match="names that differ"):
        Workflow({Verb.PROTECT: [_make_step(name, script) for name in names]}, StepCall)


@pytest.mark.parametrize("method", ["execute", "cancel"])
def test_unknown_step_of_a_receipt_is_refused(workflow: Workflow[StepCall], method: str) -> None:
    call: Callable[[Operation], Any] = getattr(workflow, method)
    with pytest.raises(BackendError, match="names the step 'z', and a protect has a, b, c"):
        call(_operation("z"))


def test_call_has_the_backup_of_its_operation_or_says_that_there_is_none() -> None:
    backup = Backup("b", Resource("T", "1"), "b", "s", {}, "", NOW)
    assert StepCall(_operation(backup=backup)).backup is backup
    with pytest.raises(InvalidInput, match="protect needs a backup"):
        _ = StepCall(_operation()).backup
