"""Makes each call of an operation twice: first in a process that dies on the way."""

from collections.abc import Callable
from typing import Any

import attrs

from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._other_process import OtherProcess, RemoteBackend
from karbor_backup_contract._process import call_plugin_hook
from karbor_backup_contract._sudden_death import DieAtLine, SuddenDeathError, leave_files_open
from karbor_backup_contract.harness import Harness
from karbor_backup_core import Call, KarborBackupError, Operation, next_call


@attrs.define
class Crash:
    """Lets a process die in each call that changes something, and another one go on.

    Attributes:
        context: the rule's.
        description: where the process dies.
        call_and_die: calls a hook in a process that dies; says whether it died.
        create_plugin: makes the backend object of the process that goes on.
        reaches: says of a hook whether it may be so long that the process dies in it.
        met: whether any call was so long that the process died in it.
    """

    context: RuleContext
    description: str
    call_and_die: Callable[[str, Operation], bool]
    create_plugin: Callable[[], Any]
    reaches: Callable[[str], bool] = lambda _: True
    met: bool = False
    _done: set[tuple[object, ...]] = attrs.field(factory=set)

    def before_call(self, operation: Operation) -> Operation:
        """Make the next call in a process that dies, and go on in another one."""
        hook = _hook_of(next_call(operation, self.context.clock()), operation)
        key = (operation.id, operation.phase, operation.state, hook)
        if not hook or key in self._done or not self.reaches(hook):
            return operation
        self._done.add(key)
        self.met |= self.call_and_die(hook, operation)
        return self.context.restart(operation, self.create_plugin())

    def after_last_call(self) -> None:
        """Leave nothing: each process has died already."""


def die_at_line(context: RuleContext, number: int, lines: dict[str, int]) -> Crash:
    """Return what lets a process die at the n-th line of the backend's own code.

    Args:
        context: the rule's.
        number: which line; 0 for none.
        lines: gets the number of lines of each hook when the process does not die.
    """

    def call_and_die(hook: str, operation: Operation) -> bool:
        with leave_files_open():
            dead, came_to = _call_until_line(context.harness, hook, operation, number)
        if not number:
            lines[hook] = max(came_to, lines.get(hook, 0))
        return dead

    return Crash(
        context,
        f"died at line {number} of its own code" if number else "were made by two processes",
        call_and_die,
        context.harness.create_backend,
        lambda hook: not number or number <= lines.get(hook, 0),
    )


def _call_until_line(
    harness: Harness, hook: str, operation: Operation, number: int
) -> tuple[bool, int]:
    """Call a hook of a new backend; return whether it died, and the number of lines it came to."""
    plugin = harness.create_backend()
    with DieAtLine(plugin, harness.service_modules, number) as death:
        _call(plugin, hook, operation)
    return death.dead, len(death.lines)


def kill_at_effect(
    context: RuleContext, process: OtherProcess, number: int, before: int, killed: dict[str, int]
) -> Crash:
    """Return what lets another process be killed behind the n-th thing that a hook does.

    Args:
        context: the rule's.
        process: the other process.
        number: which thing.
        before: the number that was tried before it; 0 for none.
        killed: the highest number at which a call of each hook was killed.
    """

    def call_and_die(hook: str, operation: Operation) -> bool:
        try:
            process.call(hook, dies_at=number, operation=operation)
        except SuddenDeathError:
            killed[hook] = number
            return True
        except KarborBackupError:
            return False
        return False

    return Crash(
        context,
        f"were killed behind system call {number}",
        call_and_die,
        lambda: RemoteBackend(process),
        lambda hook: killed.get(hook, 0) >= before,
    )


def _call(plugin: Any, hook: str, operation: Operation) -> None:
    try:
        call_plugin_hook(plugin, hook, operation=operation)
    except KarborBackupError:
        return


def _hook_of(call: Call, operation: Operation) -> str:
    match call:
        case Call.VERB:
            return str(operation.verb)
        case Call.CANCEL:
            return "cancel"
        case Call.RELEASE:
            return "release"
        case _:
            return ""
