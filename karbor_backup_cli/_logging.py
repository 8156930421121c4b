"""Where log records go: nowhere, or with ``--debug`` to the standard error, without secrets."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from karbor_backup_core import printable_lines
from karbor_backup_core.secrets import Secret, redact

if TYPE_CHECKING:
    from karbor_backup_cli._context import CliContext


class RedactingFormatter(logging.Formatter):
    """Writes records, tracebacks included, with every configured secret replaced.

    Args:
        secrets: those known so far; the list grows as backends are loaded.
    """

    def __init__(self, secrets: Sequence[Secret]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        """Write one record; what a service has said cannot write on the terminal."""
        return printable_lines(redact(super().format(record), self._secrets))


def configure_logging(*, debug: bool, secrets: Sequence[Secret]) -> None:
    """Decide where the log records of this process go, those of libraries included."""
    # A standard error that is gone is no reason to write there about it.
    logging.raiseExceptions = False
    if debug:
        _log_to_standard_error(logging.DEBUG, secrets)
        return
    root = logging.getLogger()
    root.handlers[:] = [logging.NullHandler()]
    root.setLevel(logging.WARNING)


def log_warnings(context: "CliContext") -> None:
    """Have a command that runs for long log its warnings to the standard error."""
    if not context.debug:
        _log_to_standard_error(logging.WARNING, context.secrets)


def _log_to_standard_error(level: int, secrets: Sequence[Secret]) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(RedactingFormatter(secrets))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
