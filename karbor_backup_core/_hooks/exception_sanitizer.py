"""Exceptions of a backend made fit to be shown: ours in type, and without its secrets."""

import contextlib
import math
from collections.abc import Collection
from typing import Any

from karbor_backup_core._errors import (
    BackendError,
    BackendFault,
    ContractViolation,
    InvalidInput,
    KarborBackupError,
    Transient,
)
from karbor_backup_core._hooks.text_sanitizer import MAX_REASON, sanitize_text
from karbor_backup_core.secrets import Secret, redact

_CONTRACT_EXCEPTIONS = (BackendError, InvalidInput, ContractViolation)
"""What a hook may raise; anything else is a fault of the backend, whatever it is."""

_OS_ERROR_ATTRIBUTES = ("strerror", "filename", "filename2")
"""Of these an ``OSError`` makes its text; they are in no ``__dict__``."""


def sanitize_exception(
    what: str, error: Exception, secrets: Collection[Secret]
) -> KarborBackupError:
    """Return the exception to raise for one that came out of a hook.

    One that the contract allows stays itself, unless its text cannot be cleaned or has to be cut.
    Any other becomes a ``BackendFault`` that has it as its cause, so that a traceback still leads
    to the place, unless its text cannot be cleaned.
    """
    clean = _redact_exception(error, secrets, set())
    text = str(error)
    if isinstance(error, _CONTRACT_EXCEPTIONS):
        if isinstance(error, Transient) and not _is_valid_delay(error.retry_after):
            error.retry_after = None
        if clean and len(text) <= MAX_REASON:
            return error
        return _message_only_type(error)(sanitize_text(text, secrets))
    ours = BackendFault(sanitize_text(f"{what}: {type(error).__name__}: {text}", secrets))
    ours.__cause__ = error if clean else None
    return ours


def _message_only_type(error: KarborBackupError) -> type[KarborBackupError]:
    """Return the nearest of our types that is made of a message alone."""
    plain = (Transient, BackendError, ContractViolation, InvalidInput)
    return next(cls for cls in plain if isinstance(error, cls))


def _is_valid_delay(seconds: Any) -> bool:
    # Services write dates and nonsense here as well; core then uses a delay of its own.
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return is_number and math.isfinite(seconds) and seconds >= 0


def _redact_exception(error: BaseException, secrets: Collection[Secret], done: set[int]) -> bool:
    """Take secrets out of an exception and all behind it; tell whether its own text is clean."""
    if id(error) in done:
        return True
    done.add(id(error))
    _redact_attributes(error, secrets)
    if error.__cause__ is not None and not _redact_exception(error.__cause__, secrets, done):
        error.__cause__ = None
    if error.__context__ is not None and not _redact_exception(error.__context__, secrets, done):
        error.__context__ = None
    clean = True
    for inner in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        clean &= _redact_exception(inner, secrets, done)
    texts = [str(error), repr(error), *getattr(error, "__notes__", ())]
    return clean and all(redact(text, secrets) == text for text in texts)


def _redact_attributes(error: BaseException, secrets: Collection[Secret]) -> None:
    error.args = _redact_strings(error.args, secrets)
    names = [*vars(error), *(_OS_ERROR_ATTRIBUTES if isinstance(error, OSError) else ())]
    for name in names:
        value = getattr(error, name)
        with contextlib.suppress(AttributeError):  # a frozen exception keeps its attributes
            if isinstance(value, str):
                setattr(error, name, redact(value, secrets))
            elif isinstance(value, tuple):
                setattr(error, name, _redact_strings(value, secrets))


def _redact_strings(values: tuple[Any, ...], secrets: Collection[Secret]) -> tuple[Any, ...]:
    return tuple(redact(each, secrets) if isinstance(each, str) else each for each in values)
