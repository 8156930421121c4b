"""Waiting for operations to their end, with an ear for what the person wants meanwhile."""

import logging
from collections.abc import Sequence
from typing import Final, NoReturn, TypeAlias

import attrs

from karbor_backup_core.cli.interrupt import Interrupts, LetGo, Wish
from karbor_backup_core.cli.progress import Display
from karbor_backup_core.errors import Conflict, KarborBackupError
from karbor_backup_core.model import Operation
from karbor_backup_core.runner import Runner

Ending: TypeAlias = Operation | KarborBackupError
"""How an operation stands at the end, or why the runner could not go on with it."""

_log: Final = logging.getLogger("karbor_backup.cli")

_TICK: Final = 0.2
"""Seconds between two looks for what the person wants."""

_FOREIGN_TICK: Final = 1.0
"""Seconds between two looks at an operation that another process drives."""


def as_ours(error: Exception) -> KarborBackupError:
    """Return an error that can be told to a person; one that is not ours is logged."""
    if isinstance(error, KarborBackupError):
        return error
    _log.debug("this should not have happened", exc_info=error)
    return KarborBackupError(
        f"{type(error).__name__}: this is a fault in karbor-backup or a backend; "
        "--debug shows where"
    )


@attrs.frozen
class Follower:
    """Waits for the operations of a runner.

    Attributes:
        runner: has begun or resumed them.
        interrupts: what the person wants.
        display: tells the person.
    """

    runner: Runner
    interrupts: Interrupts
    display: Display

    def follow(self, operations: Sequence[Operation]) -> list[Ending]:
        """Wait until all of these operations have come to an end; answer in the same order.

        Raises:
            LetGo: the person wants to wait no longer.
        """
        pending = [operation.id for operation in operations]
        endings: dict[str, Ending] = {}
        while pending:
            self._attend(pending)
            for operation_id in pending:
                ending = self._look(operation_id, _TICK / len(pending))
                if ending is not None:
                    endings[operation_id] = ending
            pending = [each for each in pending if each not in endings]
        return [endings[operation.id] for operation in operations]

    def follow_anyone(self, operation_id: str) -> Ending:
        """Wait for an operation that another process may drive, and take it over once it is free.

        Raises:
            LetGo: the person wants to wait no longer.
        """
        while True:
            try:
                resumed = self.runner.resume(operation_id)
            except Conflict:
                asked = self.interrupts.next(timeout=_FOREIGN_TICK)
                if asked is not None:
                    self._let_go([operation_id], asked[1])
            else:
                return self.follow([resumed])[0]

    def _look(self, operation_id: str, seconds: float) -> Ending | None:
        try:
            seen = self.runner.wait(operation_id, timeout=seconds)
        except Exception as error:  # noqa: BLE001 - a fault of one operation is not the others'
            ours = as_ours(error)
            return KarborBackupError(f"{ours} (to go on: karbor-backup resume {operation_id})")
        return seen if seen.finished else None

    def _attend(self, pending: Sequence[str]) -> None:
        """Do what the person asked for since the last look."""
        while (asked := self.interrupts.next()) is not None:
            wish, signum = asked
            if wish is Wish.LET_GO:
                self._let_go(pending, signum)
            self.display.say(
                "cancelling, and waiting for the end; Ctrl-C again leaves, and the cancel goes on"
            )
            for operation_id in pending:
                self.runner.cancel(operation_id)

    def _is_being_cancelled(self, operation_id: str) -> bool:
        try:
            return self.runner.wait(operation_id, timeout=0).cancel_requested
        except KarborBackupError:
            return False

    def _let_go(self, pending: Sequence[str], signum: int) -> NoReturn:
        for operation_id in pending:
            how = (
                "is being cancelled; to go on with the cancel"
                if self._is_being_cancelled(operation_id)
                else "goes on without this command; to wait for its end"
            )
            self.display.say(
                f"leaving: operation {operation_id} {how}: karbor-backup resume {operation_id}"
            )
        raise LetGo(signum)
