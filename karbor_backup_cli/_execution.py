"""Begins operations and resumes them, and stays with them to their end."""

import contextlib
from collections.abc import Iterator, Sequence

from karbor_backup_cli._context import CliContext
from karbor_backup_cli._formatting import format_status
from karbor_backup_cli._progress import create_display
from karbor_backup_cli._signals import SignalCollector
from karbor_backup_cli._waiting import FinalState, OperationWaiter, to_karbor_backup_error
from karbor_backup_core import (
    Backend,
    BackendError,
    KarborBackupError,
    Operation,
    OperationFuture,
    Runner,
)


def execute(context: CliContext, backend: Backend, planned: Operation) -> Operation:
    """Submit a planned operation and wait for its end.

    Wrong input comes before the service's health, since the person can mend it in any case.

    Raises:
        BackendError: the service is not fit for it now; nothing was stored.
        KarborBackupError: the runner could not go on with it.
        Detached: the person wants to wait no longer.
    """
    if not planned.finished:
        check_health(backend)
    with _open_waiter(context, [backend]) as waiter:
        (ending,) = waiter.wait_for_all([waiter.runner.submit(planned)])
    return _return_or_raise(ending)


def check_health(backend: Backend) -> None:
    """Let a backend pass whose service is fit for work.

    Raises:
        BackendError: it is not.
    """
    health = backend.health()
    if not health.ok:
        raise BackendError(f"backend {backend.name} is not fit for work: {health.summary}")


def resume_all(context: CliContext, operations: Sequence[Operation]) -> list[FinalState]:
    """Resume operations and wait for their ends; answer them in the same order.

    Raises:
        Detached: the person wants to wait no longer.
    """
    loaded, endings = _load_backends(context, operations)
    with _open_waiter(context, loaded) as waiter:
        resumed: list[OperationFuture] = []
        for operation in operations:
            if operation.id in endings:
                continue
            try:
                resumed.append(waiter.runner.resume(operation.id))
            except Exception as error:  # noqa: BLE001 - a fault of one operation is not the others'
                endings[operation.id] = to_karbor_backup_error(error)
        followed = waiter.wait_for_all(resumed)
    endings.update(zip((each.id for each in resumed), followed, strict=True))
    return [endings[operation.id] for operation in operations]


def cancel_and_wait(context: CliContext, operation: Operation) -> Operation:
    """Cancel an operation, whichever process drives it, and wait for its end.

    Raises:
        KarborBackupError: it has its outcome already, or could not be gone on with.
        Detached: the person wants to wait no longer.
    """
    if operation.outcome is not None:
        raise KarborBackupError(
            f"operation {operation.id} cannot be cancelled any more: {format_status(operation)}"
        )
    backend = context.backends.load(operation.backend)
    with _open_waiter(context, [backend]) as waiter:
        waiter.runner.cancel(operation.id)
        ending = waiter.take_over_and_wait(operation.id)
    return _return_or_raise(ending)


def _return_or_raise(ending: FinalState) -> Operation:
    if isinstance(ending, KarborBackupError):
        raise ending
    return ending


def _load_backends(
    context: CliContext, operations: Sequence[Operation]
) -> tuple[list[Backend], dict[str, FinalState]]:
    """Load the backends of these operations; answer also which operations have none, and why."""
    loaded: dict[str, Backend] = {}
    missing: dict[str, FinalState] = {}
    for operation in operations:
        try:
            loaded[operation.backend] = context.backends.load(operation.backend)
        except Exception as error:  # noqa: BLE001 - a fault of one backend is not the others'
            missing[operation.id] = to_karbor_backup_error(error)
    return list(loaded.values()), missing


@contextlib.contextmanager
def _open_waiter(context: CliContext, backends: Sequence[Backend]) -> Iterator[OperationWaiter]:
    """Yield a waiter on a runner; signals are caught until the runner is closed."""
    store, policy = context.open_store(create=True), context.configuration.policy
    quiet = context.as_json or context.debug
    with (
        SignalCollector() as interrupts,
        create_display(quiet=quiet) as display,
        Runner(store, backends, policy=policy, on_change=display.update) as runner,
    ):
        yield OperationWaiter(runner, interrupts, display)
