"""The commands whose output is kept: the configuration alone says what they are."""

import os
import shutil
from collections.abc import Mapping
from typing import Any, Final

import attrs

from karbor_backup_core import InvalidInput, Secret
from karbor_backup_process import Command

_TEXT: Final = {"type": "string", "minLength": 1, "pattern": "^[^\\x00]+$"}
_ARGUMENTS: Final = {"type": "array", "items": _TEXT, "minItems": 1}

NAME_PATTERN: Final = "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"
"""Of the name of a command, which is also that of the file in the snapshot."""

ENVIRONMENT_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "propertyNames": {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
    "additionalProperties": {"type": "string", "minLength": 1, "writeOnly": True},
}

COMMANDS_SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "propertyNames": {"pattern": NAME_PATTERN},
    "additionalProperties": {
        "title": "Command",
        "type": "object",
        "required": ["arguments"],
        "properties": {
            "arguments": {
                **_ARGUMENTS,
                "description": "The program whose output is kept, and its arguments; no shell.",
            },
            "restore": {
                **_ARGUMENTS,
                "description": (
                    "A program and its arguments that read such an output back from their "
                    "standard input, for a restore with into_command."
                ),
            },
            "environment": {
                **ENVIRONMENT_SCHEMA,
                "description": "Variables that both get, such as PGPASSWORD.",
            },
        },
        "additionalProperties": False,
    },
    "description": "Commands whose output can be protected, by name.",
}

_PASSED_ON: Final = ("HOME", "LANG", "LOGNAME", "PATH", "TMPDIR", "TZ", "USER")
"""The variables of ours that a command gets; others may hold secrets."""


@attrs.frozen
class OutputCommand:
    """A command whose output is kept.

    Attributes:
        name: its name.
        arguments: the program and its arguments.
        restore: the program, and its arguments, that reads the output back; empty for none.
        environment: variables that both get.
    """

    name: str
    arguments: tuple[str, ...]
    restore: tuple[str, ...]
    environment: Mapping[str, Secret] = attrs.field(repr=False)

    def create_dump(self) -> Command:
        """Return the call that writes the output.

        Raises:
            InvalidInput: there is no such program, or a variable cannot be read.
        """
        return self._create(self.arguments)

    def create_restore(self, source: Command) -> Command:
        """Return the call that reads the output back.

        Args:
            source: writes it.

        Raises:
            InvalidInput: the configuration names none, there is no such program, or a variable
                cannot be read.
        """
        if not self.restore:
            raise InvalidInput(
                f"command {self.name} has no 'restore' in the backend's configuration: name "
                "one, or restore to a file, without into_command"
            )
        return attrs.evolve(self._create(self.restore), source=source)

    def _create(self, arguments: tuple[str, ...]) -> Command:
        if shutil.which(arguments[0]) is None:
            raise InvalidInput(
                f"command {self.name}: there is no program {arguments[0]}: install it, or correct "
                "the backend's configuration"
            )
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        own = {name: value.reveal() for name, value in self.environment.items()}
        return Command(arguments, {**passed, **own}, directory="/")


def read_commands(document: Mapping[str, Any]) -> Mapping[str, OutputCommand]:
    """Read what is valid by ``COMMANDS_SCHEMA``."""
    return {
        name: OutputCommand(
            name,
            tuple(each["arguments"]),
            tuple(each.get("restore", ())),
            dict(each.get("environment", {})),
        )
        for name, each in document.items()
    }


def find_command(commands: Mapping[str, OutputCommand], name: str) -> OutputCommand:
    """Return the command of a name.

    Raises:
        InvalidInput: the configuration has none of that name.
    """
    if name not in commands:
        known = ", ".join(sorted(commands)) or "none"
        raise InvalidInput(
            f"{name!r:.120} is no command of the backend's configuration, which has: {known}"
        )
    return commands[name]
