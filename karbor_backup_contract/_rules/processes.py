"""Rules about processes: others that go on, and those that die in the middle of a hook."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Final

from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._crashes import Crash, die_at_line, kill_at_effect
from karbor_backup_contract._disturbed_lives import DisturbedLife, run_until_unmet, sample_points
from karbor_backup_contract._other_process import RemoteBackend, start_other_process
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import run_lifecycle
from karbor_backup_contract.requirements import INVENTORY, OTHER_PROCESS
from karbor_backup_core import Operation, Verb

_MAX_EFFECTS: Final = 40
"""System calls of one hook behind which a process is killed in turn; a longer hook is tried no
further."""

_LINES_OF_SUCCESS: Final = 5
_LINES_OF_CANCEL: Final = 3
"""Lines at which a process dies in turn, spread over those of the longest hook."""


@rule(
    "C-411",
    "Really another process goes on between any two calls: with its own modules, hash seed, "
    "locale, time zone, home, working directory and umask.",
    "What a module keeps, or what a shell has set, is not there after a restart.",
    INVENTORY,
    OTHER_PROCESS,
    mandatory=False,
)
def other_process_goes_on(context: RuleContext) -> None:
    """Make every other call in another process; then begin with that one."""
    with start_other_process(context.harness) as process:
        for here_first in (True, False):
            turns = itertools.cycle((here_first, not here_first))

            def alternate(operation: Operation, turns: Iterator[bool] = turns) -> Operation:
                here = next(turns)
                plugin = context.harness.create_backend() if here else RemoteBackend(process)
                return context.restart(operation, plugin)

            for kind in context.types_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE):
                run_lifecycle(context, kind, alternate)
        context.leave_process()


@rule(
    "C-412",
    "A process may be killed behind each thing that a hook does: half of what it writes is never "
    "taken for the whole.",
    "A process that is killed runs nothing to its end: no handler, no clean-up, no buffer.",
    INVENTORY,
    OTHER_PROCESS,
    mandatory=False,
)
def killed_process_leaves_nothing_half(context: RuleContext) -> None:
    """Kill the process of each call behind the first system call, then the second, and so on."""
    resource = context.create_resource(context.type_supporting(Verb.PROTECT, Verb.RESTORE))
    with start_other_process(context.harness) as process:
        for cancelled in (False, True):
            killed: dict[str, int] = {}
            points = sample_points(_MAX_EFFECTS, exhaustive=context.harness.exhaustive)
            before = dict(zip(points, (0, *points), strict=False))

            def kill(
                number: int,
                before: Mapping[int, int] = before,
                killed: dict[str, int] = killed,
            ) -> Crash:
                return kill_at_effect(context, process, number, before[number], killed)

            life = DisturbedLife(context, resource, kill, cancelled, stalls=False)
            run_until_unmet(life, points)
        context.leave_process()


@rule(
    "C-413",
    "A process may die at any line of a backend's own code.",
    "A backend is stopped in the middle of a hook, not only between two.",
    INVENTORY,
)
def death_at_any_line_is_survived(context: RuleContext) -> None:
    """Let the process of each call die at one line of the backend's code, then at another."""
    resource = context.create_resource(context.type_supporting(Verb.PROTECT, Verb.RESTORE))
    for cancelled, points in ((False, _LINES_OF_SUCCESS), (True, _LINES_OF_CANCEL)):
        lines: dict[str, int] = {}

        def die(number: int, lines: dict[str, int] = lines) -> Crash:
            return die_at_line(context, number, lines)

        life = DisturbedLife(context, resource, die, cancelled)
        life.run(0)
        # A service whose time cannot be turned takes its time for each life.
        tried = points if context.harness.clock else max(1, points // 3)
        step = max(1, max(lines.values()) // tried)
        run_until_unmet(life, range(step, max(lines.values()) + 1, step))
