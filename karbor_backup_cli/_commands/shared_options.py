"""Options that several commands take."""

import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from karbor_backup_cli._durations import parse_duration_option
from karbor_backup_core import suggest_name

F = TypeVar("F", bound=Callable[..., Any])


class NameChoice(click.Choice):  # type: ignore[type-arg, unused-ignore] # generic since click 8.2
    """One of a few names, in any case; a message says which one was probably meant."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(names, case_sensitive=False)
        self._names = names

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name that a text is.

        Raises:
            click.BadParameter: it is none of them.
        """
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            known = ", ".join(self._names)
            self.fail(
                f"{value!r}: {suggest_name(value, self._names)}give one of: {known}", param, ctx
            )


def backend_option(command: F) -> F:
    """Give a command ``--backend``."""
    option = click.option(
        "--backend", type=parse_unicode, metavar="NAME", help="Configured name of the backend."
    )
    return option(command)


def operation_options(command: F) -> F:
    """Give a command the options of an operation: ``-o``, ``--options`` and ``--deadline``."""
    for option in (
        click.option(
            "--deadline",
            type=parse_duration_option,
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
            type=parse_unicode,
            metavar="KEY=VALUE",
            help="An option of the backend; may be repeated, and overrides --options.",
        ),
    ):
        command = option(command)
    return command


def parse_unicode(text: str) -> str:
    """Let an argument pass that is text; anything else could not be stored.

    In the C locale Python reads what is not ASCII as lone surrogates, which stand for the bytes
    that the person wrote: they are read as UTF-8 then.

    Raises:
        click.BadParameter: it is not UTF-8, or holds a NUL.
    """
    try:
        read = os.fsencode(text).decode()
        read.encode()
    except UnicodeError:
        raise click.BadParameter(f"{text!r} is not UTF-8 text") from None
    if "\0" in read:
        raise click.BadParameter(f"{text!r} holds a NUL")
    return read if _has_surrogates(text) else text


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in text)
