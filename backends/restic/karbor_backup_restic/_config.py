"""The configuration: its schema, and what is made of it."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import attrs

from karbor_backup_core import BackendError, InvalidInput, Secret, check_path
from karbor_backup_process import Command
from karbor_backup_restic._commands import COMMANDS_SCHEMA, OutputCommand, read_commands

_TEXT: Final = {"type": "string", "minLength": 1}
_PATH: Final = {"type": "string", "pattern": "^/"}
_SECONDS: Final = {"type": "number", "exclusiveMinimum": 0}

_SCHEME: Final = re.compile(r"(sftp|rest|s3|swift|b2|azure|gs|rclone|local):")
"""The prefixes of repositories that restic knows; without one it is a local path."""

_CREDENTIALS: Final = re.compile(r"://[^/@]*:[^/@]*@")

_REST: Final = re.compile(r"rest:https?://[^@/]+(/|$)")

_REST_LOGIN: Final = {
    "title": "Credentials of a REST Server",
    "type": "object",
    "required": ["user", "password"],
    "properties": {
        "user": {**_TEXT, "description": "The user."},
        "password": {**_TEXT, "writeOnly": True, "description": "The user's password."},
    },
    "additionalProperties": False,
    "description": "Who logs in to the REST server, for a repository 'rest:URL'.",
}

CONFIG_SCHEMA: Final[dict[str, Any]] = {
    "title": "Restic",
    "type": "object",
    "required": ["repository"],
    "properties": {
        "repository": {
            **_TEXT,
            "description": "The repository, as restic's --repo names it; a path is absolute.",
        },
        "password": {
            **_TEXT,
            "writeOnly": True,
            "description": "The repository's password.",
        },
        "password_command": {
            "type": "array",
            "items": _TEXT,
            "minItems": 1,
            "description": (
                "A program and its arguments that print the password, instead of 'password'."
            ),
        },
        "sources": {
            "type": "object",
            "description": "Other repositories, by any names, from which backups can be copied.",
            "additionalProperties": {
                "type": "object",
                "required": ["repository"],
                "properties": {
                    "repository": {**_TEXT, "description": "As 'repository' above."},
                    "password": {
                        **_TEXT,
                        "writeOnly": True,
                        "description": "The other repository's password.",
                    },
                    "password_command": {
                        "type": "array",
                        "items": _TEXT,
                        "minItems": 1,
                        "description": "A program that prints it, instead of 'password'.",
                    },
                    "rest": _REST_LOGIN,
                },
                "additionalProperties": False,
            },
        },
        "environment": {
            "type": "object",
            "propertyNames": {"pattern": "^(?!RESTIC_)[A-Za-z_][A-Za-z0-9_]*$"},
            "additionalProperties": {**_TEXT, "writeOnly": True},
            "description": (
                "Variables for restic's environment that the repository needs, such as "
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
            ),
        },
        "rest": _REST_LOGIN,
        "options": {
            "type": "object",
            "propertyNames": {"pattern": "^[a-z0-9]+\\.[a-z0-9-]+$"},
            "additionalProperties": {"type": "string", "pattern": "^[^\\x00]*$"},
            "description": (
                "restic's extended options (restic options), such as sftp.command. Everybody on "
                "the machine can read them."
            ),
        },
        "program": {**_TEXT, "default": "restic", "description": "The program."},
        "commands": COMMANDS_SCHEMA,
        "output_directory": {
            **_PATH,
            "description": (
                "Where the output of a command is restored to, as a new file, if no path is given."
            ),
        },
        "jobs": {
            **_PATH,
            "description": (
                "The directory for the state of running work, which must survive a restart of the "
                "machine; without it, karbor-backup/restic in the user's state directory."
            ),
        },
        "cache": {**_PATH, "description": "restic's cache; without it, restic's own choice."},
        "work_limit": {
            "type": "integer",
            "minimum": 1,
            "default": 4,
            "description": (
                "How many restics run at once in the jobs of this directory; what is begun beyond "
                "that is queued."
            ),
        },
        "timeout": {
            **_SECONDS,
            "default": 60,
            "description": "Seconds that one short command may take, such as a look-up.",
        },
        "stop_timeout": {
            **_SECONDS,
            "default": 60,
            "description": "Seconds after which a cancelled restic that goes on is killed.",
        },
    },
    "additionalProperties": False,
}


_OF_ONE_REPOSITORY: Final = ("repository", "password", "password_command", "rest", "sources")
"""The settings that are not those of another repository."""


@attrs.frozen
class Configuration:
    """The configuration of one repository.

    Attributes:
        repository: as restic's ``--repo`` names it.
        password: the password; None where a command prints it.
        password_command: prints the password; empty where ``password`` holds it.
        environment: variables for restic, such as a storage's credentials.
        rest: the user of a REST server, and the password; None for no login.
        options: restic's extended options.
        sources: the other repositories from which backups can be copied, by name.
        program: restic.
        commands: those whose output can be protected, by name.
        output_directory: where an output is restored to if no path is given; None for nowhere.
        jobs: the directory of the jobs.
        cache: restic's cache, None for its own choice.
        work_limit: how many jobs run at once in their directory.
        timeout: seconds that one short command may take.
        stop_timeout: seconds after which a cancelled restic is killed.
    """

    repository: str
    password: Secret | None
    password_command: tuple[str, ...]
    environment: Mapping[str, Secret]
    rest: tuple[str, Secret] | None
    options: Mapping[str, str]
    sources: Mapping[str, "Configuration"]
    program: str
    commands: Mapping[str, OutputCommand]
    output_directory: str | None
    jobs: Path
    cache: str | None
    work_limit: int
    timeout: float
    stop_timeout: float

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Configuration":
        """Read a document that is valid by ``CONFIG_SCHEMA``.

        Raises:
            InvalidInput: the repository is a relative path or holds a password, or it is not clear
                where the password comes from.
        """
        if ("password" in document) == ("password_command" in document):
            raise InvalidInput(
                "restic: name the repository's password once: either 'password' ({env = \"NAME\"} "
                "or {file = \"PATH\"}) or 'password_command'"
            )
        return cls(
            repository=_check_repository(document),
            password=document.get("password"),
            password_command=tuple(document.get("password_command", ())),
            environment=dict(document.get("environment", {})),
            rest=(document["rest"]["user"], document["rest"]["password"])
            if "rest" in document
            else None,
            options=dict(document.get("options", {})),
            sources={
                name: cls._from_source(name, document, source)
                for name, source in document.get("sources", {}).items()
            },
            program=document.get("program", "restic"),
            commands=read_commands(document.get("commands", {})),
            output_directory=document.get("output_directory"),
            jobs=Path(document.get("jobs") or _default_jobs()),
            cache=document.get("cache"),
            work_limit=document.get("work_limit", 4),
            timeout=document.get("timeout", 60),
            stop_timeout=document.get("stop_timeout", 60),
        )

    @classmethod
    def _from_source(
        cls, name: str, document: Mapping[str, Any], source: Mapping[str, Any]
    ) -> "Configuration":
        """Read a source, which shares all but the repository and its password."""
        try:
            return cls.from_document(use_repository(document, source))
        except InvalidInput as error:
            raise InvalidInput(f"sources.{name}: {error}") from None

    @property
    def local_path(self) -> str | None:
        """The repository's path; None if it is not a directory of this machine."""
        path = self.repository.removeprefix("local:")
        return path if path.startswith("/") else None

    def reveal_repository(self) -> str:
        """Return the repository as restic is told it, with the credentials of a REST server.

        Raises:
            InvalidInput: the password cannot be read.
        """
        if self.rest is None:
            return self.repository
        user, password = self.rest
        scheme, slashes, place = self.repository.partition("://")
        login = f"{quote(user, safe='')}:{quote(password.reveal(), safe='')}"
        return f"{scheme}{slashes}{login}@{place}"

    def reveal_password(self) -> str:
        """Return the password as it is now.

        Raises:
            InvalidInput: the variable is not set, or the file cannot be read, or it is empty.
            BackendError: the command failed or printed nothing.
            Transient: the command did not end in time.
        """
        if self.password is not None:
            return self.password.reveal()
        done = Command(self.password_command, dict(os.environ)).run(self.timeout)
        # What it printed is not shown, also where it failed: that may be the password.
        if done.exit_status != 0:
            raise BackendError(
                f"password_command {self.password_command[0]} failed with exit status "
                f"{done.exit_status}: run it by hand to see why"
            )
        password = done.output.removesuffix("\n").removesuffix("\r")
        if not password:
            raise BackendError(f"password_command {self.password_command[0]} printed no password")
        return password


def use_repository(document: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with another repository, and all that does not belong to the first.

    Args:
        document: the configuration.
        other: the settings of the other repository, its password among them.
    """
    shared = {key: each for key, each in document.items() if key not in _OF_ONE_REPOSITORY}
    return {**shared, **other}


def _check_repository(document: Mapping[str, Any]) -> str:
    repository: str = document["repository"]
    if _CREDENTIALS.search(repository):
        raise InvalidInput(
            "restic: the repository's URL holds a password, which everybody would see: leave it "
            "out, and name the user and the password of a REST server under 'rest'"
        )
    if "rest" in document and not _REST.match(repository):
        raise InvalidInput(
            "restic: 'rest' has the credentials of a REST server, and the repository is none, "
            "without a user: name it as rest:http://HOST/ or rest:https://HOST/"
        )
    path = repository.removeprefix("local:")
    if path != repository or not _SCHEME.match(repository):
        check_path("restic: repository", path)
    return repository


def _default_jobs() -> Path:
    state = os.environ.get("XDG_STATE_HOME", "")
    base = Path(state) if state.startswith("/") else Path("~/.local/state").expanduser()
    return base / "karbor-backup" / "restic"
