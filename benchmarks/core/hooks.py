"""Calling a hook.

A hook of a backend that answers at once with the same `Progress`, called through `Backend`, which
checks the answer; through a bare pluggy plugin manager; and as the bare method. Once as it is, and
once with an extension that is called before and after each call.
"""

from collections.abc import Iterator
from functools import partial
from typing import Final

import pluggy

from benchmarks.context import BenchmarkContext
from benchmarks.core.fake_operations import (
    NAME,
    call_timer,
    make_submitting_protect,
    make_volumes,
    measure_minimum,
)
from benchmarks.measurement import OURS, Measurement
from karbor_backup_core import Backend, Operation, Progress, ProgressState, hookimpl
from karbor_backup_core.hookspecs import PROJECT, BackendSpec
from karbor_backup_fake import FakeBackend, FakeCloud

BARE_PLUGGY: Final = "bare pluggy"
BARE_CALL: Final = "bare method"

_ANSWER: Final = Progress(
    ProgressState.SUCCEEDED,
    receipt={"version": 1, "job": "job-1"},
    handle={"version": 1, "copy": "copy-1"},
    done=4,
    total=4,
    unit="bytes",
)


class ConstantBackend(FakeBackend):
    """Answers without asking its cloud."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:  # noqa: ARG002 - the hook's arguments
        """Return the same result each time."""
        return _ANSWER


class IdleExtension:
    """An extension that looks on."""

    @hookimpl
    def before_call(self, hook: str) -> None:
        """Refuse nothing."""

    @hookimpl
    def after_call(self, hook: str, seconds: float) -> None:
        """Note nothing."""


def measure(context: BenchmarkContext) -> Iterator[Measurement]:
    """Measure one hook, without and with an extension."""
    calls, repeats = context.choose(20_000, 2_000), context.choose(7, 3)
    (volume,) = make_volumes(1)
    for extensions in ([], [IdleExtension()]):
        plugin = ConstantBackend({}, cloud=FakeCloud())
        backend = Backend.from_plugin(NAME, plugin, extensions)
        operation = make_submitting_protect(backend, volume)
        manager = pluggy.PluginManager(PROJECT)
        manager.add_hookspecs(BackendSpec)
        manager.register(plugin)
        hook = manager.hook.protect
        subjects = {
            OURS: call_timer(partial(backend.call_verb, operation), calls),
            BARE_PLUGGY: call_timer(partial(hook, operation=operation), calls),
            BARE_CALL: call_timer(partial(plugin.protect, operation), calls),
        }
        for subject, seconds in zip(
            subjects, measure_minimum(repeats, [*subjects.values()]), strict=True
        ):
            yield Measurement(
                what="time per call of a hook",
                subject=subject,
                value=seconds * 1e6,
                unit="µs",
                parameters={"extensions": len(extensions)},
            )
