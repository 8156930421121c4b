"""Begins operations and resumes them, and stays with them to their end."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from karbor_backup_core.backend import Backend
from karbor_backup_core.cli.following import Ending, Follower, as_ours
from karbor_backup_core.cli.interrupt import Interrupts
from karbor_backup_core.cli.invocation import Invocation
from karbor_backup_core.cli.progress import display_for
from karbor_backup_core.cli.text import status
from karbor_backup_core.clock import system_clock
from karbor_backup_core.errors import BackendError, KarborBackupError
from karbor_backup_core.model import Backup, Operation, Resource, State, Verb
from karbor_backup_core.planning import plan
from karbor_backup_core.runner import Runner


def perform(
    invocation: Invocation,
    backend: Backend,
    verb: Verb,
    target: Resource | Backup,
    options: Mapping[str, Any],
    deadline: timedelta | None,
) -> Operation:
    """Begin an operation and wait for its end.

    Raises:
        InvalidInput: it is refused; nothing was begun.
        BackendError: the service is not fit for it now; nothing was begun.
        KarborBackupError: the runner could not go on with it.
        LetGo: the person wants to wait no longer.
    """
    _refuse_early(invocation, backend, verb, target, options, deadline)
    with _following(invocation, [backend]) as follower:
        operation = follower.runner.begin(backend.name, verb, target, options, deadline=deadline)
        (ending,) = follower.follow([operation])
    return _ended(ending)


def resume_all(invocation: Invocation, operations: Sequence[Operation]) -> list[Ending]:
    """Resume operations and wait for their ends; answer them in the same order.

    Raises:
        LetGo: the person wants to wait no longer.
    """
    loaded, endings = _backends_of(invocation, operations)
    with _following(invocation, loaded) as follower:
        resumed: list[Operation] = []
        for operation in operations:
            if operation.id in endings:
                continue
            try:
                resumed.append(follower.runner.resume(operation.id))
            except Exception as error:  # noqa: BLE001 - a fault of one operation is not the others'
                endings[operation.id] = as_ours(error)
        followed = follower.follow(resumed)
    endings.update(zip((each.id for each in resumed), followed, strict=True))
    return [endings[operation.id] for operation in operations]


def cancel_and_wait(invocation: Invocation, operation: Operation) -> Operation:
    """Cancel an operation, whichever process drives it, and wait for its end.

    Raises:
        KarborBackupError: it has its outcome already, or could not be gone on with.
        LetGo: the person wants to wait no longer.
    """
    if operation.outcome is not None:
        raise KarborBackupError(
            f"operation {operation.id} cannot be cancelled any more: {status(operation)}"
        )
    backend = invocation.backends.load(operation.backend)
    with _following(invocation, [backend]) as follower:
        follower.runner.cancel(operation.id)
        ending = follower.follow_anyone(operation.id)
    return _ended(ending)


def _ended(ending: Ending) -> Operation:
    if isinstance(ending, KarborBackupError):
        raise ending
    return ending


def _backends_of(
    invocation: Invocation, operations: Sequence[Operation]
) -> tuple[list[Backend], dict[str, Ending]]:
    """Load the backends of these operations; answer also which operations have none, and why."""
    loaded: dict[str, Backend] = {}
    missing: dict[str, Ending] = {}
    for operation in operations:
        try:
            loaded[operation.backend] = invocation.backends.load(operation.backend)
        except Exception as error:  # noqa: BLE001 - a fault of one backend is not the others'
            missing[operation.id] = as_ours(error)
    return list(loaded.values()), missing


def _refuse_early(
    invocation: Invocation,
    backend: Backend,
    verb: Verb,
    target: Resource | Backup,
    options: Mapping[str, Any],
    deadline: timedelta | None,
) -> None:
    """Let pass what can be begun now; a plan that is thrown away finds whatever is wrong with it.

    Wrong input comes before the service's health, since the person can mend it in any case.
    """
    planned = plan(
        backend,
        verb,
        target,
        options,
        now=system_clock(),
        deadline=deadline or invocation.configuration.policy.deadline,
    )
    if planned.state is State.RELEASED:
        return
    health = backend.health()
    if not health.ok:
        raise BackendError(f"backend {backend.name} is not fit for work: {health.summary}")


@contextlib.contextmanager
def _following(invocation: Invocation, backends: Sequence[Backend]) -> Iterator[Follower]:
    """A runner with somebody who watches it; signals are caught until it is closed."""
    store, policy = invocation.open_store(create=True), invocation.configuration.policy
    by_name = {backend.name: backend for backend in backends}
    quiet = invocation.as_json or invocation.debug
    with (
        Interrupts() as interrupts,
        display_for(quiet=quiet) as display,
        Runner(store, by_name, policy=policy, on_change=display.update) as runner,
    ):
        yield Follower(runner, interrupts, display)
