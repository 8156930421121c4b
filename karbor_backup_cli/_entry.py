"""The entry point of ``karbor-backup``: starts the command where its libraries are installed."""

import atexit
import json
import os
import signal
import sys
from typing import NoReturn

from karbor_backup_cli._missing_libraries import describe_missing_library
from karbor_backup_cli._streams import flush_streams, prepare_streams, write_error


def run() -> NoReturn:
    """Run the command; without the libraries of the extra ``cli``, say what to install."""
    atexit.register(_ignore_handled_signals)  # the first to be registered is the last to be called
    _exit_on_interrupt(130)
    prepare_streams()
    try:
        from karbor_backup_cli._main import program
    except ImportError as error:
        message = describe_missing_library(error)
        if message is None:
            raise
        _report_missing_library(message)
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
        flush_streams()
        _exit_on_interrupt(status if isinstance(status, int) else 0)


def _exit_on_interrupt(status: int) -> None:
    """Have Ctrl-C end the process at once with a status, where nothing is begun or all is over.

    Where modules are imported or threads are joined, Python would show a traceback, or lose the
    interrupt in a callback.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, lambda _signum, _frame: os._exit(status))


def _ignore_handled_signals() -> None:
    """Have no more signals change the status, where all is over and the handlers go.

    A signal that the command does not handle ends it as ever.
    """
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        if callable(signal.getsignal(signum)):
            signal.signal(signum, signal.SIG_IGN)


def _report_missing_library(message: str) -> None:
    """Write what ``report_error`` would write, which needs the library that is missing."""
    if "--json" in sys.argv[1:]:
        error = {"kind": "MissingLibrary", "message": message, "faults": []}
        write_error(json.dumps({"error": error}), whole=True)
    else:
        write_error(f"karbor-backup: {message}")
