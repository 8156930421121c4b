"""What goes wrong, as one line for a person or one JSON object, and as an exit status."""

import json
import logging
from typing import Any, Final

import click

from karbor_backup_cli._exit_statuses import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_NOT_WRITTEN,
    EXIT_NOTHING_STORED,
    EXIT_WRONG_INPUT,
)
from karbor_backup_cli._formatting import format_error
from karbor_backup_cli._missing_libraries import describe_missing_library
from karbor_backup_cli._signals import Detached
from karbor_backup_cli._streams import LONGEST_LINE, OutputLost, write_error
from karbor_backup_core import (
    BackendUnavailable,
    InvalidDocument,
    InvalidInput,
    KarborBackupError,
    MissingLibrary,
    printable,
    truncate_faults,
    truncate_text,
)

PROGRAM: Final = "karbor-backup"

_INPUT_ERRORS: Final = (InvalidInput, BackendUnavailable, MissingLibrary)
"""What is raised before anything is begun, and goes away with other input or installations."""

_NO_ARGS_IS_HELP: Final[Any] = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""What click 8.2 and later raise for a group without a command; its message is the whole help."""

_log: Final = logging.getLogger("karbor_backup.cli")


class NothingStored(Exception):
    """What was to be protected is covered by something else; the command has said so."""


class CommandFailed(Exception):
    """The command ends with status 1, and has said why."""


class SystemFailure(Exception):
    """The system has refused something, such as the place for a file.

    Attributes:
        error: what the system said.
    """

    def __init__(self, fault: OSError) -> None:
        super().__init__(str(fault))
        self.error = fault


def report_error(error: BaseException, *, as_json: bool) -> int:
    """Tell the person what went wrong, and answer the exit status."""
    status = _status_of_reported_error(error)
    return _report_new_error(error, as_json=as_json) if status is None else status


def _status_of_reported_error(error: BaseException) -> int | None:
    """Return the exit status of an end that the command has told of already."""
    match error:
        case CommandFailed():
            return EXIT_FAILED
        case NothingStored():
            return EXIT_NOTHING_STORED
        case Detached():
            return 128 + error.signum
        case click.exceptions.Exit():
            return error.exit_code
        case _:
            return None


def _report_new_error(error: BaseException, *, as_json: bool) -> int:
    match error:
        case OutputLost():
            return _report_lost_output(error, as_json=as_json)
        case click.Abort() | KeyboardInterrupt():
            _print_error("interrupted", "Interrupted", as_json=as_json)
            return EXIT_INTERRUPTED
        case click.UsageError() if isinstance(error, _NO_ARGS_IS_HELP) and error.ctx is not None:
            write_error(error.ctx.get_help())
            return EXIT_WRONG_INPUT
        case click.ClickException():
            _print_error(_usage_message(error), "Usage", as_json=as_json)
            return EXIT_WRONG_INPUT
        case KarborBackupError():
            faults = error.faults if isinstance(error, InvalidDocument) else ()
            _print_error(format_error(error), type(error).__name__, as_json=as_json, faults=faults)
            return EXIT_WRONG_INPUT if isinstance(error, _INPUT_ERRORS) else EXIT_FAILED
        case SystemFailure() | OSError():
            fault = error.error if isinstance(error, SystemFailure) else error
            _print_error(_describe_system_error(fault), "System", as_json=as_json)
            return EXIT_FAILED
        case _ if (missing := describe_missing_library(error)) is not None:
            _print_error(missing, MissingLibrary.__name__, as_json=as_json)
            return EXIT_WRONG_INPUT
        case _:
            return _report_bug(error, as_json=as_json)


def _report_bug(error: BaseException, *, as_json: bool) -> int:
    _log.debug("this should not have happened", exc_info=error)
    hint = "this is a fault in karbor-backup or a backend; --debug shows where"
    _print_error(f"{type(error).__name__}: {hint}", "Bug", as_json=as_json)
    return EXIT_FAILED


def _report_lost_output(error: OutputLost, *, as_json: bool) -> int:
    lost = f"the standard output cannot be written: {error.reason}"
    if not error.done:
        _print_error(lost, "Output", as_json=as_json)
        return EXIT_FAILED
    _print_error(f"{error.done}, but {lost}", "Output", as_json=as_json)
    return EXIT_FAILED if error.failed else EXIT_NOT_WRITTEN


def _describe_system_error(fault: OSError) -> str:
    reason = fault.strerror or str(fault)
    return reason if fault.filename is None else f"{fault.filename}: {reason}"


def _usage_message(error: click.ClickException) -> str:
    message = error.format_message()
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{message} (see {error.ctx.command_path} --help)"
    return message


def _print_error(message: str, kind: str, *, as_json: bool, faults: tuple[str, ...] = ()) -> None:
    if as_json:
        message = truncate_text(message, LONGEST_LINE)
        document = {"error": {"kind": kind, "message": message, "faults": truncate_faults(faults)}}
        write_error(json.dumps(document), whole=True)
    else:
        write_error(f"{PROGRAM}: {printable(message)}")
