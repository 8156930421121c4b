"""What goes wrong, as one line for a person or one JSON object, and as an exit status."""

import json
import logging
from typing import Any, Final

import click

from karbor_backup_core.cli.interrupt import LetGo
from karbor_backup_core.cli.missing import missing_library
from karbor_backup_core.cli.streams import OutputLost, write_error
from karbor_backup_core.cli.text import in_words
from karbor_backup_core.errors import (
    BackendUnavailable,
    InvalidDocument,
    InvalidInput,
    KarborBackupError,
    MissingLibrary,
    capped,
)
from karbor_backup_core.escaping import printable, truncate

DONE: Final = 0
FAILED: Final = 1
WRONG_INPUT: Final = 2
NOTHING_STORED: Final = 3
"""Nothing went wrong, and there is no backup: a script must not take it for one."""

NOT_WRITTEN: Final = 4
"""It was done, and could not be told: a script must take it neither for done nor for failed."""

INTERRUPTED: Final = 130
"""128 and the number of SIGINT, as shells have it."""

PROGRAM: Final = "karbor-backup"

_LONGEST: Final = 8192
"""Characters of a message: what is quoted in it may be as long as a document."""

_NOTHING_BEGUN: Final = (InvalidInput, BackendUnavailable, MissingLibrary)
"""What is raised before anything is begun, and goes away with other input or installations."""

_NO_ARGUMENTS: Final[Any] = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""What click 8.2 and later raise for a group without a command; its message is the whole help."""

_log: Final = logging.getLogger("karbor_backup.cli")


class NothingStored(Exception):
    """What was to be protected is covered by something else; the command has said so."""


class Failed(Exception):
    """The command ends with status 1, and has said why."""


class SystemFault(Exception):
    """The system has refused something, such as the place for a file.

    Attributes:
        fault: what the system said.
    """

    def __init__(self, fault: OSError) -> None:
        super().__init__(str(fault))
        self.fault = fault


def complain(error: BaseException, *, as_json: bool) -> int:
    """Tell the person what went wrong, and answer the exit status."""
    status = _status_of_told(error)
    return _complain(error, as_json=as_json) if status is None else status


def _status_of_told(error: BaseException) -> int | None:
    """Answer the exit status of an end that the command has told of already."""
    match error:
        case Failed():
            return FAILED
        case NothingStored():
            return NOTHING_STORED
        case LetGo():
            return 128 + error.signum
        case click.exceptions.Exit():
            return error.exit_code
        case _:
            return None


def _complain(error: BaseException, *, as_json: bool) -> int:
    match error:
        case OutputLost():
            return _lost(error, as_json=as_json)
        case click.Abort() | KeyboardInterrupt():
            _tell("interrupted", "Interrupted", as_json=as_json)
            return INTERRUPTED
        case click.UsageError() if isinstance(error, _NO_ARGUMENTS) and error.ctx is not None:
            write_error(error.ctx.get_help())
            return WRONG_INPUT
        case click.ClickException():
            _tell(_usage(error), "Usage", as_json=as_json)
            return WRONG_INPUT
        case KarborBackupError():
            faults = error.faults if isinstance(error, InvalidDocument) else ()
            _tell(in_words(error), type(error).__name__, as_json=as_json, faults=faults)
            return WRONG_INPUT if isinstance(error, _NOTHING_BEGUN) else FAILED
        case SystemFault() | OSError():
            fault = error.fault if isinstance(error, SystemFault) else error
            _tell(_system_words(fault), "System", as_json=as_json)
            return FAILED
        case _ if (missing := missing_library(error)) is not None:
            _tell(missing, MissingLibrary.__name__, as_json=as_json)
            return WRONG_INPUT
        case _:
            return _bug(error, as_json=as_json)


def _bug(error: BaseException, *, as_json: bool) -> int:
    _log.debug("this should not have happened", exc_info=error)
    hint = "this is a fault in karbor-backup or a backend; --debug shows where"
    _tell(f"{type(error).__name__}: {hint}", "Bug", as_json=as_json)
    return FAILED


def _lost(error: OutputLost, *, as_json: bool) -> int:
    lost = f"the standard output cannot be written: {error.reason}"
    if not error.done:
        _tell(lost, "Output", as_json=as_json)
        return FAILED
    _tell(f"{error.done}, but {lost}", "Output", as_json=as_json)
    return FAILED if error.failed else NOT_WRITTEN


def _system_words(fault: OSError) -> str:
    reason = fault.strerror or str(fault)
    return reason if fault.filename is None else f"{fault.filename}: {reason}"


def _usage(error: click.ClickException) -> str:
    message = error.format_message()
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{message} (see {error.ctx.command_path} --help)"
    return message


def _tell(message: str, kind: str, *, as_json: bool, faults: tuple[str, ...] = ()) -> None:
    message = truncate(message, _LONGEST)
    if as_json:
        document = {"error": {"kind": kind, "message": message, "faults": capped(faults)}}
        write_error(json.dumps(document))
    else:
        write_error(f"{PROGRAM}: {printable(message)}")
