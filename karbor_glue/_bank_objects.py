"""Objects of Karbor's bank, read and removed by name: what a bank lists may be out of date.

Swift answers a write before its container lists the object, and may list an object for a while
after its removal. So whether an object is there is told by asking for it, wherever a bank's answer
tells "missing" from "not reachable". Swift's bank and S3's give text back as bytes.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, Final

from eventlet import patcher
from karbor.services.protection.bank_plugins.file_system_bank_plugin import FileSystemBankPlugin

from karbor_backup_core import KarborBackupError, StoreError

_lock: Final = threading.RLock()


@contextlib.contextmanager
def bank_errors(what: str) -> Iterator[None]:
    """Raise a StoreError in place of whatever a bank raises.

    Raises:
        StoreError: the bank raised.
    """
    try:
        yield
    except KarborBackupError:
        raise
    except Exception as error:  # a bank is a plugin: it raises what it likes
        raise StoreError(f"Karbor's bank could not {what}: {error}") from error


def lists_current_state(bank: Any) -> bool:
    """Return whether a bank lists what it holds at this moment; of Karbor's, the file system's.

    Args:
        bank: Karbor's ``Bank``, which has no public name for its plugin.
    """
    return isinstance(getattr(bank, "_plugin", None), FileSystemBankPlugin)


def list_names(section: Any, of: str) -> set[str]:
    """Return the names that a section lists, which may be out of date.

    Args:
        section: Karbor's ``BankSection``.
        of: what the objects belong to, for the text of an error.

    Raises:
        StoreError: the bank cannot be used.
    """
    with bank_errors(f"list what it has of {of}"), _exclusive():
        return set(section.list_objects())


def read_object(section: Any, name: str, of: str) -> Any:
    """Return an object, or None if there is no such object.

    Args:
        section: Karbor's ``BankSection``.
        name: the object's name in it.
        of: what it belongs to, for the text of an error.

    Raises:
        StoreError: the bank cannot be used.
    """
    value = _call_if_present(section, name, of, "read", section.get_object)
    return value.decode() if isinstance(value, bytes) else value


def write_object(section: Any, name: str, value: Any, of: str) -> None:
    """Write an object.

    Args:
        section: Karbor's ``BankSection``.
        name: the object's name in it.
        value: text, or what JSON can hold.
        of: what it belongs to, for the text of an error.

    Raises:
        StoreError: the bank cannot be used.
    """
    with bank_errors(f"write {name} of {of}"), _exclusive():
        section.update_object(name, value)


def remove_object(section: Any, name: str, of: str) -> None:
    """Remove an object, if it is there.

    Args:
        section: Karbor's ``BankSection``.
        name: the object's name in it.
        of: what it belongs to, for the text of an error.

    Raises:
        StoreError: the bank cannot be used.
    """
    _call_if_present(section, name, of, "remove", section.delete_object)


def _call_if_present(
    section: Any, name: str, of: str, verb: str, call: Callable[[str], Any]
) -> Any:
    """Return what a bank's method answers for an object, or None if there is no such object."""
    if lists_current_state(section.bank) and name not in list_names(section, of):
        return None  # asked for it, the bank would log an error with a traceback
    try:
        with bank_errors(f"{verb} {name} of {of}"), _exclusive():
            return call(name)
    except StoreError as error:
        if _is_missing(error, section, name, of):
            return None
        raise


def _is_missing(error: StoreError, section: Any, name: str, of: str) -> bool:
    """Return whether a bank failed because it has no object of that name."""
    status = _http_status(error)
    if status is not None:
        return status == HTTPStatus.NOT_FOUND
    return name not in list_names(section, of)


def _http_status(error: BaseException | None) -> int | None:
    """Return the status that a service behind a bank has answered; None where none is told.

    Karbor's banks raise an exception of their own in the handler of swiftclient's or botocore's.
    """
    while error is not None:
        status = getattr(error, "http_status", None)
        response = getattr(error, "response", None)
        if isinstance(response, dict):
            status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status:
            return int(status)
        error = error.__cause__ or error.__context__
    return None


@contextlib.contextmanager
def _exclusive() -> Iterator[None]:
    """Let one thread at a time use the banks, unless eventlet has made threads green.

    swiftclient keeps the response to one request in its connection until it is fetched: of two
    threads each could get the other's.
    """
    if patcher.is_monkey_patched("thread"):
        yield
        return
    with _lock:
        yield
