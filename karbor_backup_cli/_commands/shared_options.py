"""Options that several commands take."""

import functools
import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final, TypeVar

import attrs
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


@attrs.frozen
class OperationOptions:
    """What was asked of an operation on the command line.

    Attributes:
        file: a file with the backend's options as a JSON object; None for none.
        assignments: options of the backend as KEY=VALUE.
        deadline: time for the operation; None for the policy's.
        detached: leave it to workers, and do not wait for its end.
    """

    file: str | None
    assignments: tuple[str, ...]
    deadline: timedelta | None
    detached: bool


def operation_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``-o``, ``--options``, ``--deadline`` and ``--detach``, as one argument."""

    @functools.wraps(command)
    def pass_options(
        *arguments: Any,
        options_file: str | None,
        assignments: tuple[str, ...],
        deadline: timedelta | None,
        detached: bool,
        **others: Any,
    ) -> Any:
        given = OperationOptions(options_file, assignments, deadline, detached)
        return command(*arguments, given=given, **others)

    for option in _OPERATION_OPTIONS:
        pass_options = option(pass_options)
    return pass_options


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


_OPERATION_OPTIONS: Final = (
    click.option(
        "--detach",
        "detached",
        is_flag=True,
        help="Leave the operation to workers, and print its id (needs the extra scale).",
    ),
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
)
