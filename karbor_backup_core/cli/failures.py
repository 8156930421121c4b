"""What goes wrong, as one line for a person or one JSON object, and as an exit status."""

import json
import logging
from typing import Final

import click

from karbor_backup_core.cli.interrupt import LetGo
from karbor_backup_core.cli.text import printable
from karbor_backup_core.errors import InvalidDocument, InvalidInput, KarborBackupError

DONE: Final = 0
FAILED: Final = 1
WRONG_INPUT: Final = 2
INTERRUPTED: Final = 130
"""128 and the number of SIGINT, as shells have it."""

PROGRAM: Final = "karbor-backup"

_log: Final = logging.getLogger("karbor_backup.cli")


class Failed(Exception):
    """The command ends with status 1, and has said why."""


def complain(error: BaseException, *, as_json: bool) -> int:
    """Tell the person what went wrong, and answer the exit status."""
    match error:
        case Failed():
            return FAILED
        case LetGo():
            return 128 + error.signum
        case click.exceptions.Exit():
            return error.exit_code
        case click.Abort() | KeyboardInterrupt():
            _tell("interrupted", "Interrupted", as_json=as_json)
            return INTERRUPTED
        case click.ClickException():
            _tell(_usage(error), "Usage", as_json=as_json)
            return WRONG_INPUT
        case KarborBackupError():
            faults = error.faults if isinstance(error, InvalidDocument) else ()
            _tell(str(error), type(error).__name__, as_json=as_json, faults=faults)
            return WRONG_INPUT if isinstance(error, InvalidInput) else FAILED
        case _:
            return _bug(error, as_json=as_json)


def _bug(error: BaseException, *, as_json: bool) -> int:
    _log.debug("this should not have happened", exc_info=error)
    hint = "this is a fault in karbor-backup or a backend; --debug shows where"
    _tell(f"{type(error).__name__}: {hint}", "Bug", as_json=as_json)
    return FAILED


def _usage(error: click.ClickException) -> str:
    message = error.format_message()
    if isinstance(error, click.UsageError) and error.ctx is not None:
        return f"{message} (see {error.ctx.command_path} --help)"
    return message


def _tell(message: str, kind: str, *, as_json: bool, faults: tuple[str, ...] = ()) -> None:
    if as_json:
        document = {"error": {"kind": kind, "message": message, "faults": list(faults)}}
        click.echo(json.dumps(document, ensure_ascii=False), err=True)
    else:
        click.echo(f"{PROGRAM}: {printable(message)}", err=True)
