"""What leaves a hook of Karbor's when something went wrong: its own exceptions, and no others."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from typing import Any

from karbor import exception

from karbor_backup_core import KarborBackupError, Operation, Verb, describe_end
from karbor_glue._option_hints import add_option_hints

_log = logging.getLogger("karbor_backup.karbor")

_KARBOR_ERRORS = {
    Verb.PROTECT: exception.CreateResourceFailed,
    Verb.RESTORE: exception.RestoreResourceFailed,
    Verb.DELETE: exception.DeleteResourceFailed,
    Verb.VERIFY: exception.VerifyResourceFailed,
}


class OperationIncomplete(KarborBackupError):
    """An operation ended in another way than it should."""


def incomplete_error(operation: Operation) -> OperationIncomplete:
    """Return how an operation ended, and what it left."""
    if operation.outcome is None:
        return OperationIncomplete(
            f"operation {operation.id} was let go of before its end: recover it"
        )
    return OperationIncomplete(describe_end(operation))


@contextlib.contextmanager
def translate_to_karbor_errors(
    verb: Verb, resource: Any, tell: Callable[[str], None]
) -> Iterator[None]:
    """Turn whatever is raised into the exception that Karbor's own plugins raise.

    That includes what is no ``Exception``, such as eventlet's ``Timeout``: Karbor's engine lets
    it through, and the checkpoint would stay as it is for ever.

    Args:
        verb: what was being done.
        resource: Karbor's resource that it was done to.
        tell: writes the reason where users of Karbor see it.

    Raises:
        KarborException: of the kind for this verb.
    """
    try:
        yield
    except BaseException as error:
        words = str(error) if isinstance(error, KarborBackupError) else repr(error)
        reason = add_option_hints(verb, resource.type, words)
        try:
            tell(reason)
        except Exception:  # noqa: BLE001 - the first reason is the one to tell
            _log.exception("the status of %s %s could not be written", resource.type, resource.id)
        if not isinstance(error, KarborBackupError):
            _log.exception("%s of %s %s failed", verb, resource.type, resource.id)
        raise _KARBOR_ERRORS[verb](
            name="backup", reason=reason, resource_id=resource.id, resource_type=resource.type
        ) from error
