"""What is said where a library is missing; this module needs none itself."""

import sys

OLDEST_PYTHON = (3, 11)


def describe_missing_library(error: ImportError, target: str) -> str:
    """Return one line about what to do, instead of a traceback.

    Args:
        error: what the import raised.
        target: the target of the Makefile that installs what is needed, and does the same.

    Raises:
        ImportError: the given one, where it is a module of this project that is missing.
    """
    name = (error.name or "").partition(".")[0]
    if sys.version_info < OLDEST_PYTHON:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return f"Python 3.11 or later is needed, this is {version}: make PYTHON=python3.11 {target}"
    if name in ("", "sandbox", "examples", "tests"):
        raise error
    return (
        f"The library {name!r} is not installed for {sys.executable}: `make {target}` installs "
        "what is needed and does the same; after it, .venv/bin/python has all of it"
    )
