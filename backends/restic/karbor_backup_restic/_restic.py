"""The program: how it is called, with which environment, and short calls of it."""

import os
from collections.abc import Collection, Mapping
from typing import Final

import attrs

from karbor_backup_process import Command
from karbor_backup_restic import _errors
from karbor_backup_restic._config import Configuration

_STATUS_PER_SECOND: Final = "2"
"""How often restic writes a status line, as often as somebody may look."""

_PASSED_ON: Final = frozenset(
    (
        "HOME",
        "LANG",
        "LOGNAME",
        "PATH",
        "SSH_AUTH_SOCK",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TMPDIR",
        "TZ",
        "USER",
        "XDG_CACHE_HOME",
        "http_proxy",
        "https_proxy",
        "no_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_PROXY",
    )
)
"""The variables that restic gets from us. Others may hold secrets that are none of its business,
such as the password of this repository where ``{env}`` names it."""


@attrs.frozen
class Restic:
    """restic with one repository.

    Attributes:
        configuration: the repository, its password, the program.
    """

    configuration: Configuration

    def command(
        self,
        *arguments: str,
        password: str | None = None,
        directory: str = "",
        cache: str = "",
        accepted: Collection[int] = (0,),
        discard_output: bool = False,
        source: Command | None = None,
    ) -> Command:
        """Return a call of restic.

        Args:
            arguments: the subcommand and its arguments; everybody can read them.
            password: the password, if it was revealed for another command already.
            directory: the working directory.
            cache: the directory of a cache of its own.
            accepted: the exit statuses after which a job goes on.
            discard_output: whether what it writes to its standard output is kept nowhere.
            source: what writes its standard input.

        Raises:
            InvalidInput: the password or a variable cannot be read.
            BackendError: the command that prints the password failed.
        """
        cache = cache or self.configuration.cache or ""
        options = [
            *(("--cache-dir", cache) if cache else ()),
            *(f"--option={name}={value}" for name, value in self.configuration.options.items()),
        ]
        if password is None:
            password = self.configuration.reveal_password()
        return Command(
            (self.configuration.program, *options, *arguments),
            self._environment(),
            {
                "RESTIC_PASSWORD_FILE": password,
                # In a pipe as well: it may hold the password of a REST server.
                "RESTIC_REPOSITORY_FILE": self.configuration.reveal_repository(),
            },
            directory,
            accepted,
            discard_output=discard_output,
            source=source,
        )

    def run(self, what: str, *arguments: str) -> str:
        """Run a short call of restic, and return what it prints.

        Args:
            what: what is done, for the text of an error.
            arguments: as in ``command``.

        Raises:
            BackendError: it failed for good.
            Transient: it failed in a way that may pass, or did not end in time.
            InvalidInput: the password cannot be read.
        """
        done = self.command(*arguments).run(self.configuration.timeout)
        if done.exit_status != 0:
            raise _errors.create_error(
                f"restic cannot {what}", done.errors.splitlines(), done.exit_status
            )
        return done.output

    def _environment(self) -> Mapping[str, str]:
        passed = {name: value for name, value in os.environ.items() if name in _PASSED_ON}
        given = self.configuration.environment
        return {
            **passed,
            **{name: value.reveal() for name, value in given.items()},
            "RESTIC_PROGRESS_FPS": _STATUS_PER_SECOND,
        }
