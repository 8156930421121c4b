"""Options that several commands take."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from karbor_backup_core.cli.durations import duration_option

F = TypeVar("F", bound=Callable[..., Any])


def backend_option(command: F) -> F:
    """Give a command ``--backend``."""
    option = click.option("--backend", metavar="NAME", help="Configured name of the backend.")
    return option(command)


def operation_options(command: F) -> F:
    """Give a command the options of an operation: ``-o``, ``--options`` and ``--deadline``."""
    for option in (
        click.option(
            "--deadline",
            type=duration_option,
            metavar="DURATION",
            help="Time for the operation: 90s, 5m, 2h, 1d  [default: the policy's].",
        ),
        click.option(
            "--options",
            "options_file",
            metavar="FILE",
            help="The backend's options as a JSON object; - reads the standard input.",
        ),
        click.option(
            "-o",
            "--option",
            "assignments",
            multiple=True,
            metavar="KEY=VALUE",
            help="One of the backend's options; may be repeated, and wins over --options.",
        ),
    ):
        command = option(command)
    return command


def unicode_text(text: str) -> str:
    """Let an argument pass that is text; bytes that are none could not be stored.

    Raises:
        click.BadParameter: it is not UTF-8.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        raise click.BadParameter(f"{text!r} is not UTF-8 text") from None
    return text
