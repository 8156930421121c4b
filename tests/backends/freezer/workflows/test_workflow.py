"""The order of the steps, and a step that is added to it."""

import attrs
import pytest

from karbor_backup_core import BackendError, Call, Operation, Progress, ProgressState, Result, Verb
from karbor_backup_freezer.workflows.step import FreezerCall
from karbor_backup_freezer.workflows.steps.inspection import Inspection
from karbor_backup_freezer.workflows.workflow import STEPS
from tests.backends.freezer.workflows.harness import WorkflowHarness
from tests.backends.freezer.workflows.test_protect import (
    failure_reason,
    get_backup,
    has_no_leftovers,
)


class SecondInspection(Inspection):
    """Looks at the data again some time after the protect."""

    name = "second inspection"

    def execute(self, call: FreezerCall) -> Progress:
        """Wait first, then look."""
        if call.step != self.name:
            return call.receipt.running_progress()
        return super().execute(call)

    def status(self, call: FreezerCall) -> Progress:
        """Return ready at the next poll."""
        begun = call.step == self.name and call.operation.outcome is None
        return Progress(ProgressState.READY if begun else ProgressState.UNKNOWN)


@pytest.fixture
def with_second_inspection(harness: WorkflowHarness) -> WorkflowHarness:
    harness.steps = {**STEPS, Verb.PROTECT: (*STEPS[Verb.PROTECT], SecondInspection)}
    return harness


def test_added_step_runs_after_the_others(with_second_inspection: WorkflowHarness) -> None:
    harness = with_second_inspection
    reached: list[str] = []

    def note(operation: Operation) -> Operation:
        reached.append((operation.receipt or {}).get("step", ""))
        return operation

    volume = harness.create_volume("data")
    backup = get_backup(harness.run_operation(Verb.PROTECT, volume, between=note))
    assert [*dict.fromkeys(reached)] == ["", "discover", "job", "second inspection"]
    assert harness.run_operation(Verb.VERIFY, backup).outcome.result is Result.SUCCEEDED  # type: ignore[union-attr]
    assert has_no_leftovers(harness)


def test_added_step_finds_data_lost_in_between(
    with_second_inspection: WorkflowHarness,
) -> None:
    harness = with_second_inspection
    volume = harness.create_volume("data")

    def lose(operation: Operation) -> Operation:
        if (operation.receipt or {}).get("step") == SecondInspection.name:
            for data in harness.folder.rglob(volume.id):
                if data.is_file():
                    data.write_bytes(b"")
        return operation

    reason = failure_reason(harness.run_operation(Verb.PROTECT, volume, between=lose))
    assert "nothing is stored of it" in reason
    assert has_no_leftovers(harness)


def test_receipt_of_a_workflow_with_other_steps_is_refused(harness: WorkflowHarness) -> None:
    refused: list[BaseException] = []

    def rename(operation: Operation) -> Operation:
        if not refused and (operation.receipt or {}).get("step") == "job":
            changed = attrs.evolve(operation, receipt={**operation.receipt, "step": "dance"})  # type: ignore[dict-item]
            with pytest.raises(
                BackendError, match=r"'dance'.*discover, job, native, inspect"
            ) as error:
                harness.make_call(Call.VERB, changed)
            refused.append(error.value)
            polled = harness.make_call(Call.POLL, changed)
            assert isinstance(polled, Progress)
            assert polled.state is ProgressState.FAILED
        return operation

    get_backup(harness.run_operation(Verb.PROTECT, harness.create_volume("data"), between=rename))
    assert refused
