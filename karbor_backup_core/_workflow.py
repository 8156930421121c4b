"""Verbs as lists of steps: for backends whose operations take several.

A backend states the order of its work once, as one list of steps for each verb, and each step is
one class that begins its work, looks at it, stops it and takes it back. The hooks of the verbs are
``Workflow.execute``, ``poll`` is ``Workflow.status``, ``cancel`` is ``Workflow.cancel`` and
``release`` is ``Workflow.revert``. Which step an operation has reached is the key ``step`` of its
receipt, so that another process goes on there; the rest of the receipt is the steps' own.

The names are TaskFlow's where it has the same thing (``execute``, ``revert``). TaskFlow's engine
itself is not used: it runs a flow in one process, and here the core drives each call, stores the
receipt between two of them, and may continue in another process.
"""

import abc
from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final, Generic, TypeAlias, TypeVar

import attrs

from karbor_backup_core._errors import BackendError, InvalidInput, Transient
from karbor_backup_core._model import Backup, Leftover, Operation, Progress, ProgressState, Verb

_STEP: Final = "step"
"""The key of a receipt that names the step that was begun last."""

_READY: Final = Progress(ProgressState.READY)
_UNKNOWN: Final = Progress(ProgressState.UNKNOWN)
_SUCCEEDED: Final = Progress(ProgressState.SUCCEEDED)


@attrs.frozen
class StepCall:
    """One call of a workflow's steps. A backend may give it more fields in a class of its own.

    Attributes:
        operation: with the receipt as the steps before this one have left it.
        own_paths: what the hook ``restore`` is given; empty in all other calls.
    """

    operation: Operation
    own_paths: Sequence[str] = ()

    @property
    def step(self) -> str:
        """The name of the step that was begun last, empty before the first."""
        name = (self.operation.receipt or {}).get(_STEP, "")
        return name if isinstance(name, str) else repr(name)

    @property
    def backup(self) -> Backup:
        """The backup that the operation restores, deletes or verifies.

        Raises:
            InvalidInput: there is none.
        """
        if self.operation.backup is None:
            raise InvalidInput(f"{self.operation.verb} needs a backup")
        return self.operation.backup


CallT = TypeVar("CallT", bound=StepCall)


class Step(abc.ABC, Generic[CallT]):
    """One step of a verb. It keeps no state of operations: what it notes goes into the receipt.

    Every method may be called again at any time, by another process too, with the same receipt.
    What it raises is what the hook that called it may raise.

    Attributes:
        name: stored in receipts, so that it stays the same; unique among the steps of its verb.
    """

    name: ClassVar[str]

    @abc.abstractmethod
    def execute(self, call: CallT) -> Progress:
        """Begin the work of this step, or continue it where ``call.step`` is its name.

        Returns:
            ``running`` while work goes on outside: ``status`` looks at it, and ``execute`` is
            called again when that is ``ready``. ``ready`` to be called again at once, after the
            receipt was stored. ``succeeded`` when this step is complete: the next one is executed
            in the same call, and what the last one returns is the result of the operation.
            ``failed`` or ``cancelled`` ends the operation. A receipt of None leaves the stored one.
        """

    def status(self, call: CallT) -> Progress:  # noqa: ARG002 - for those that override it
        """Look at the work of this step that goes on outside; only read.

        Without an outcome the answer is a poll's; once there is one, ``running`` while something
        goes on that ``revert`` has to wait for.

        Returns:
            ``unknown`` where nothing of this step goes on outside: unless it is overridden, always.
        """
        return _UNKNOWN

    def cancel(self, call: CallT) -> bool:  # noqa: ARG002 - for those that override it
        """Ask for the work of this step to stop; return whether that was taken."""
        return False

    def revert(self, call: CallT) -> Progress:  # noqa: ARG002 - for those that override it
        """Take away what this step has made.

        That is the service's bookkeeping after ``call.operation.outcome`` is a success, and all
        that was made otherwise. It is called whether or not the step is known to have begun.

        Returns:
            ``succeeded`` with what could not be removed, or ``running`` while something goes away.
        """
        return _SUCCEEDED


Asked: TypeAlias = tuple[CallT, Sequence[Step[CallT]]]
"""A call of a poll, and the steps whose ``status`` is going to be asked, in that order."""


class Workflow(Generic[CallT]):
    """The steps of each verb, in their order.

    Args:
        steps: by verb, first step first.
        new_call: makes the call that the steps of an operation get; takes ``own_paths`` as well.
        observe: is given what is going to be asked in a poll, before any ``status``, to look at
            what several operations wait for in one request. What it raises fails the poll.

    Raises:
        ValueError: a verb has no steps, or two of one name.
    """

    def __init__(
        self,
        steps: Mapping[Verb, Sequence[Step[CallT]]],
        new_call: Callable[[Operation, Sequence[str]], CallT],
        observe: Callable[[Sequence[Asked[CallT]]], None] = lambda _: None,
    ) -> None:
        self._steps = {verb: tuple(listed) for verb, listed in steps.items()}
        self._places = {
            verb: {step.name: place for place, step in enumerate(listed)}
            for verb, listed in self._steps.items()
        }
        for verb, listed in self._steps.items():
            if not listed or len(self._places[verb]) < len(listed):
                names = [step.name for step in listed]
                raise ValueError(f"the steps of {verb} need names that differ: {names}")
        self._new_call = new_call
        self._observe = observe
        self._polled: dict[str, CallT] = {}

    def execute(self, operation: Operation, own_paths: Sequence[str] = ()) -> Progress:
        """Begin the first step of an operation, or go on with the one that its receipt names.

        Raises:
            InvalidInput: it cannot be done as asked.
            Transient: a repeat may help.
            BackendError: a repeat would not help, or the receipt names no step of the verb.
        """
        call = self._new_call(operation, own_paths)
        progress = _SUCCEEDED
        for step in self._remaining_steps(call):
            progress = _with_receipt(step.execute(call), call, step.name)
            if progress.state is not ProgressState.SUCCEEDED:
                break
            receipt = progress.receipt
            call = attrs.evolve(call, operation=attrs.evolve(call.operation, receipt=receipt))
        return progress

    def status(self, operations: Sequence[Operation]) -> dict[str, Progress]:
        """Return how the work of each operation stands, by operation id; only reads.

        A fault of one operation is its own ``failed``; where it is transient, the operation runs on
        with the fault as its reason.

        Raises:
            Transient: what all of them wait for cannot be looked at now.
            BackendError: the service refuses to tell.
        """
        calls = {operation.id: self._reuse_call(operation) for operation in operations}
        self._polled = calls
        asked: dict[str, Asked[CallT]] = {}
        answers: dict[str, Progress] = {}
        for identifier, call in calls.items():
            try:
                asked[identifier] = (call, self._steps_to_ask(call))
            except BackendError as error:
                answers[identifier] = Progress(ProgressState.FAILED, reason=str(error))
        self._observe([*asked.values()])
        return answers | {identifier: _look(*each) for identifier, each in asked.items()}

    def cancel(self, operation: Operation) -> bool:
        """Ask for the work of an operation to stop; return whether that was taken.

        Raises:
            Transient: a repeat may help.
            BackendError: a repeat would not.
        """
        call = self._new_call(operation, ())
        return any(step.cancel(call) for step in reversed(self._remaining_steps(call)))

    def revert(self, operation: Operation) -> Progress:
        """Revert all steps of an operation that has its outcome, the last one first.

        A step that is still at it keeps the ones before it from being reverted.

        Raises:
            Transient: a repeat may help.
            BackendError: a repeat would not.
        """
        call = self._new_call(operation, ())
        leftovers: dict[tuple[str, str], Leftover] = {}
        for step in reversed(self._steps[operation.verb]):
            progress = _with_receipt(step.revert(call), call, call.step)
            leftovers |= {(left.kind, left.id): left for left in progress.leftovers}
            if progress.state is not ProgressState.SUCCEEDED:
                return attrs.evolve(progress, leftovers=tuple(leftovers.values()))
            receipt = progress.receipt
            call = attrs.evolve(call, operation=attrs.evolve(call.operation, receipt=receipt))
        return Progress(
            ProgressState.SUCCEEDED,
            receipt=call.operation.receipt,
            leftovers=tuple(leftovers.values()),
        )

    def _reuse_call(self, operation: Operation) -> CallT:
        """Return the last poll's call of an operation that has not changed since."""
        known = self._polled.get(operation.id)
        if known is not None and known.operation is operation:
            return known
        return self._new_call(operation, ())

    def _steps_to_ask(self, call: CallT) -> Sequence[Step[CallT]]:
        """Return the steps whose work may go on, the last one first."""
        if call.operation.outcome is not None:
            return self._steps[call.operation.verb][::-1]
        # A call whose reply was lost may have begun later steps than the receipt tells.
        return self._remaining_steps(call)[::-1]

    def _remaining_steps(self, call: CallT) -> Sequence[Step[CallT]]:
        """Return the step that the receipt names and those after it; all where it names none."""
        verb = call.operation.verb
        if not call.step:
            return self._steps[verb]
        place = self._places[verb].get(call.step)
        if place is None:
            names = ", ".join(self._places[verb])
            raise BackendError(
                f"the receipt names the step {call.step!r}, and a {verb} has {names}: use the "
                "version of karbor-backup that began the operation"
            )
        return self._steps[verb][place:]


def _look(call: CallT, steps: Sequence[Step[CallT]]) -> Progress:
    """Return what the first of the steps that knows of work says of it."""
    released = call.operation.outcome is not None
    try:
        for step in steps:
            progress = step.status(call)
            active = progress.state.active
            if active if released else progress.state is not ProgressState.UNKNOWN:
                return progress
    except Transient as error:
        return Progress(ProgressState.RUNNING, reason=str(error))
    except (BackendError, InvalidInput) as error:
        return Progress(ProgressState.FAILED, reason=str(error))
    return _READY if released else _UNKNOWN


def _with_receipt(progress: Progress, call: StepCall, step: str) -> Progress:
    """Return a step's progress with the receipt to be stored, which names the step."""
    receipt = call.operation.receipt if progress.receipt is None else progress.receipt
    if step:
        receipt = {**(receipt or {}), _STEP: step}
    return attrs.evolve(progress, receipt=receipt)
