"""The entry point of ``karbor-backup``: starts the command where its libraries are installed."""

import json
import sys
from typing import NoReturn

from karbor_backup_core.cli.missing import missing_library
from karbor_backup_core.cli.streams import prepare_streams, write_error


def run() -> NoReturn:
    """Run the command; without the libraries of the extra ``cli``, say what to install."""
    prepare_streams()
    try:
        from karbor_backup_core.cli.main import program
    except ImportError as error:
        message = missing_library(error)
        if message is None:
            raise
        _report(message)
        sys.exit(2)
    program.main()


def _report(message: str) -> None:
    """Write what ``failures.complain`` would write, which needs the library that is missing."""
    if "--json" in sys.argv[1:]:
        error = {"kind": "MissingLibrary", "message": message, "faults": []}
        message = json.dumps({"error": error})
    else:
        message = f"karbor-backup: {message}"
    write_error(message)
