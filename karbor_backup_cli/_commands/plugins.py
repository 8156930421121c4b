"""Commands that other packages bring along, by entry points in ``karbor_backup.commands``.

Such a command is a click command; its context's ``obj`` has ``as_json``, whether to answer in JSON.
"""

import importlib.metadata
from typing import Final

import click

from karbor_backup_core import MissingLibrary
from karbor_backup_core.discovery import unavailable_reason

ENTRY_POINT_GROUP: Final = "karbor_backup.commands"


def plugin_names() -> list[str]:
    """List the commands; none of them is imported."""
    return sorted(importlib.metadata.entry_points(group=ENTRY_POINT_GROUP).names)


def load_plugin(name: str) -> click.Command | None:
    """Return a command; one that cannot be loaded says so when it is called.

    Returns:
        None when no package has brought such a command.
    """
    for point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP, name=name):
        try:
            command: click.Command = point.load()
        except Exception as error:  # noqa: BLE001 - whatever a stranger's module raises
            return _unavailable_command(name, unavailable_reason(point, error))
        return command
    return None


def _unavailable_command(name: str, reason: str) -> click.Command:
    def complain(_: tuple[str, ...]) -> None:
        raise MissingLibrary(f"the command {name} cannot be loaded: {reason}")

    anything = click.Argument(["_"], nargs=-1, type=click.UNPROCESSED, metavar="...")
    return click.Command(
        name,
        params=[anything],
        callback=complain,
        context_settings={"ignore_unknown_options": True},
        short_help=f"Cannot be loaded: {reason}",
    )
