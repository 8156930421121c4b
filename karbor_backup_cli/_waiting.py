"""Waiting for operations to their end, with an ear for what the person wants meanwhile."""

import concurrent.futures
import logging
from collections.abc import Sequence
from typing import Final, NoReturn, TypeAlias

import attrs

from karbor_backup_cli._progress import ProgressDisplay
from karbor_backup_cli._signals import Detached, SignalCollector, SignalRequest
from karbor_backup_core import Conflict, KarborBackupError, Operation, OperationFuture, Runner

FinalState: TypeAlias = Operation | KarborBackupError
"""How an operation stands at the end, or why the runner could not go on with it."""

_log: Final = logging.getLogger("karbor_backup.cli")

_POLL_SECONDS: Final = 0.2
"""Seconds between two looks for what the person wants."""

_FOREIGN_POLL_SECONDS: Final = 1.0
"""Seconds between two looks at an operation that another process drives."""


def to_karbor_backup_error(error: Exception) -> KarborBackupError:
    """Return an error that can be told to a person; one that is not ours is logged."""
    if isinstance(error, KarborBackupError):
        return error
    _log.debug("this should not have happened", exc_info=error)
    return KarborBackupError(
        f"{type(error).__name__}: this is a fault in karbor-backup or a backend; "
        "--debug shows where"
    )


@attrs.frozen
class OperationWaiter:
    """Waits for the operations of a runner.

    Attributes:
        runner: has begun or resumed them.
        interrupts: what the person wants.
        display: tells the person.
    """

    runner: Runner
    interrupts: SignalCollector
    display: ProgressDisplay

    def wait_for_all(self, futures: Sequence[OperationFuture]) -> list[FinalState]:
        """Wait until all of these operations have come to an end; answer in the same order.

        Raises:
            Detached: the person wants to wait no longer.
        """
        pending = list(futures)
        while pending:
            self._handle_signals([each.id for each in pending])
            concurrent.futures.wait(pending, timeout=_POLL_SECONDS)
            pending = [each for each in pending if not each.done()]
        return [_final_state(each) for each in futures]

    def take_over_and_wait(self, operation_id: str) -> FinalState:
        """Wait for an operation that another process may drive, and take it over once it is free.

        Raises:
            Detached: the person wants to wait no longer.
        """
        while True:
            try:
                resumed = self.runner.resume(operation_id)
            except Conflict:
                asked = self.interrupts.next_request(timeout=_FOREIGN_POLL_SECONDS)
                if asked is not None:
                    self._detach([operation_id], asked[1])
            else:
                return self.wait_for_all([resumed])[0]

    def _handle_signals(self, pending: Sequence[str]) -> None:
        """Do what the person asked for since the last look."""
        while (asked := self.interrupts.next_request()) is not None:
            wish, signum = asked
            if wish is SignalRequest.DETACH:
                self._detach(pending, signum)
            self.display.show_message(
                "cancelling, and waiting for the end; Ctrl-C again leaves, and the cancel goes on"
            )
            for operation_id in pending:
                self.runner.cancel(operation_id)

    def _is_being_cancelled(self, operation_id: str) -> bool:
        try:
            return self.runner.operation(operation_id).cancel_requested
        except KarborBackupError:
            return False

    def _detach(self, pending: Sequence[str], signum: int) -> NoReturn:
        for operation_id in pending:
            how = (
                "is being cancelled; to go on with the cancel"
                if self._is_being_cancelled(operation_id)
                else "goes on without this command; to wait for its end"
            )
            self.display.show_message(
                f"leaving: operation {operation_id} {how}: karbor-backup resume {operation_id}"
            )
        raise Detached(signum)


def _final_state(future: OperationFuture) -> FinalState:
    """Return what a future that is done holds."""
    try:
        return future.result()
    except Exception as error:  # noqa: BLE001 - a fault of one operation is not the others'
        ours = to_karbor_backup_error(error)
        return KarborBackupError(f"{ours} (to go on: karbor-backup resume {future.id})")
