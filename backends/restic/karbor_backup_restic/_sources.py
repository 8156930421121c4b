"""The other repositories from which backups can be copied."""

from collections.abc import Mapping

import attrs

from karbor_backup_core import BackendError, Backup, InvalidInput
from karbor_backup_process import Command
from karbor_backup_restic._config import Configuration
from karbor_backup_restic._repository import Repository
from karbor_backup_restic._restic import Restic


@attrs.frozen
class Source:
    """A repository from which backups can be copied.

    Attributes:
        restic: restic with that repository.
        repository: the repository.
    """

    restic: Restic
    repository: Repository

    def read_by(self, command: Command) -> Command:
        """Return a ``restic copy`` that reads this repository; what it needs goes through pipes.

        Raises:
            InvalidInput: the password cannot be read.
            BackendError: the command that prints the password failed.
        """
        ours = self.restic.command().inputs
        theirs = {name.replace("RESTIC_", "RESTIC_FROM_", 1): text for name, text in ours.items()}
        return attrs.evolve(command, inputs={**command.inputs, **theirs})


class Sources:
    """The repositories that the configuration names.

    Args:
        configurations: by name; each is the backend's own, with another repository and password.
    """

    def __init__(self, configurations: Mapping[str, Configuration]) -> None:
        self._sources = {
            name: Source(restic := Restic(each), Repository(restic))
            for name, each in configurations.items()
        }

    def find(self, backup: Backup) -> Source:
        """Return the repository in which a backup lies.

        Raises:
            InvalidInput: the configuration names none with its scope, or a password is not there.
            BackendError, Transient: as ``Repository.id``, of one that may be it.
        """
        failure: Exception | None = None
        for source in self._sources.values():
            try:
                if backup.scope == f"restic:{source.repository.id()}":
                    return source
            except (BackendError, InvalidInput) as error:
                failure = error
        if failure is not None:
            raise failure
        known = ", ".join(self._sources) or "none"
        raise InvalidInput(
            f"backup {backup.id} belongs to {backup.scope}, and no repository under 'sources' is "
            f"that one (there are: {known}): name the repository there, with its password"
        )
