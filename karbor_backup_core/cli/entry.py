"""The entry point of ``karbor-backup``: starts the command where its libraries are installed."""

import json
import os
import signal
import sys
from typing import NoReturn

from karbor_backup_core.cli.missing import missing_library
from karbor_backup_core.cli.streams import end_streams, prepare_streams, write_error


def run() -> NoReturn:
    """Run the command; without the libraries of the extra ``cli``, say what to install."""
    _end_quietly(130)
    prepare_streams()
    try:
        from karbor_backup_core.cli.main import program
    except ImportError as error:
        message = missing_library(error)
        if message is None:
            raise
        _report(message)
        sys.exit(2)
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    status: int | str | None = 1
    try:
        program.main()
    except SystemExit as error:
        status = error.code
        raise
    finally:
        end_streams()
        _end_quietly(status if isinstance(status, int) else 0)


def _end_quietly(status: int) -> None:
    """Have Ctrl-C end the process at once with a status, where nothing is begun or all is over.

    Where modules are imported or threads are joined, Python would show a traceback, or lose the
    interrupt in a callback.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda _signum, _frame: os._exit(status))


def _report(message: str) -> None:
    """Write what ``failures.complain`` would write, which needs the library that is missing."""
    if "--json" in sys.argv[1:]:
        error = {"kind": "MissingLibrary", "message": message, "faults": []}
        message = json.dumps({"error": error})
    else:
        message = f"karbor-backup: {message}"
    write_error(message)
