"""Durations on the command line."""

from datetime import timedelta

import click

from karbor_backup_core.durations import parse_duration


def parse_duration_option(text: str) -> timedelta:
    """Read the value of an option; click names the option in the error.

    Raises:
        click.BadParameter: it is no duration.
    """
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
