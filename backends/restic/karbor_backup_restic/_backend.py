"""The hooks."""

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Final

from karbor_backup_core import (
    CONTRACT_VERSION,
    BackendError,
    BackendInfo,
    Health,
    Operation,
    Place,
    Progress,
    SharedResource,
    Support,
    Unsupported,
    Verb,
    __version__,
    hookimpl,
)
from karbor_backup_process import ProcessJobs
from karbor_backup_restic import _health
from karbor_backup_restic._abilities import MAINTENANCE, declare_abilities
from karbor_backup_restic._config import CONFIG_SCHEMA, Configuration
from karbor_backup_restic._copy import Copy
from karbor_backup_restic._delete import Delete
from karbor_backup_restic._maintenance import Maintenance
from karbor_backup_restic._outputs import ProtectOutput, RestoreIntoCommand, RestoreOutput
from karbor_backup_restic._paths import OwnPaths
from karbor_backup_restic._protect import Protect
from karbor_backup_restic._repository import Repository
from karbor_backup_restic._restic import Restic
from karbor_backup_restic._restore import Restore
from karbor_backup_restic._sources import Sources
from karbor_backup_restic._verify import Verify
from karbor_backup_restic._work import OperationWork

if TYPE_CHECKING:
    from karbor_backup_contract import Harness

NAME: Final = "restic"

_SCOPE: Final = re.compile(r"\Arestic:[0-9a-f]{64}\Z")
"""The scope of a repository, by the id that restic gives it."""


class ResticBackend:
    """Keeps directories, files and outputs of commands in a restic repository.

    Args:
        configuration: valid by ``CONFIG_SCHEMA``, its secrets wrapped.

    Raises:
        InvalidInput: the repository is a relative path or holds a password, or it is not clear
            where the password comes from.
    """

    CONFIG_SCHEMA: ClassVar[Mapping[str, Any]] = CONFIG_SCHEMA

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        self._configuration = Configuration.from_document(configuration)
        self._abilities = declare_abilities(copies=bool(self._configuration.sources))
        self._restic = Restic(self._configuration)
        self._repository = Repository(self._restic)
        jobs = ProcessJobs(self._configuration.jobs, self._configuration.work_limit)
        own = OwnPaths(self._configuration.local_path, str(jobs.directory))
        self._jobs = jobs
        self._work = OperationWork(
            jobs=jobs,
            repository=self._repository,
            restore=Restore(self._restic, self._repository, own),
            verbs={
                Verb.PROTECT: Protect(self._restic, self._repository, own),
                Verb.DELETE: Delete(self._restic, self._repository, own),
                Verb.VERIFY: Verify(self._restic, self._repository, own),
                Verb.MAINTAIN: Maintenance(self._restic, self._repository, own),
                Verb.COPY: Copy(
                    self._restic,
                    self._repository,
                    own,
                    sources=Sources(self._configuration.sources),
                ),
            },
            restore_output=RestoreOutput(self._restic, self._repository, own),
            restore_into_command=RestoreIntoCommand(self._restic, self._repository, own),
            protect_output=ProtectOutput(self._restic, self._repository, own),
            stop_timeout=self._configuration.stop_timeout,
        )

    @classmethod
    def contract_harness(
        cls, configuration: Mapping[str, Any]
    ) -> AbstractContextManager["Harness"]:
        """Give the contract suite a harness; ``configuration`` is what the constructor takes."""
        from karbor_backup_restic.harness import create_live_harness

        return create_live_harness(cls, configuration)

    @hookimpl
    def describe(self) -> BackendInfo:
        """Return what this backend can do."""
        return BackendInfo(
            NAME,
            __version__,
            CONTRACT_VERSION,
            self._abilities,
            MAINTENANCE,
            self._configuration.work_limit,
        )

    @hookimpl
    def scope(self) -> str:
        """Return the repository's id, which stays when the repository is moved."""
        with _translate_errors():
            return f"restic:{self._repository.id()}"

    @hookimpl
    def check(self) -> Health:
        """Check that the repository can be opened, and where jobs would run."""
        with _translate_errors():
            return _health.check_health(self._restic, self._repository, self._jobs)

    @hookimpl
    def place(self) -> Place:
        """Return the place of the jobs: work goes on in processes of this machine."""
        with _translate_errors():
            return self._jobs.prepare()

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        """Start storing a directory or file in a snapshot."""
        return self._execute(operation, ())

    @hookimpl
    def restore(self, operation: Operation, own_paths: Sequence[str]) -> Progress:
        """Start restoring a directory or file; in the second phase, give it its name."""
        return self._execute(operation, own_paths)

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        """Start removing the snapshot."""
        return self._execute(operation, ())

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        """Start checking the repository and the snapshot."""
        return self._execute(operation, ())

    @hookimpl
    def copy(self, operation: Operation) -> Progress:
        """Start copying a snapshot from another repository."""
        return self._execute(operation, ())

    @hookimpl
    def maintain(self, operation: Operation) -> Progress:
        """Start pruning or checking the repository."""
        if operation.action not in MAINTENANCE:
            known = ", ".join(MAINTENANCE)
            raise Unsupported(f"restic has no maintenance {operation.action!r} (it has: {known})")
        with _translate_errors():
            return self._work.execute(operation, ())

    @hookimpl
    def shared_resources(self, operation: Operation) -> Sequence[SharedResource]:
        """Return the repositories that are used; a maintenance has its own to itself.

        Those who only read share it too: they take no lock of restic's.
        """
        used = {operation.scope}
        if operation.verb is Verb.COPY and operation.backup is not None:
            # Any other text is no repository, and refused when the copy begins.
            used |= set(_SCOPE.findall(operation.backup.scope))
        alone = operation.verb is Verb.MAINTAIN
        return [SharedResource(scope, exclusive=alone) for scope in sorted(used)]

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        """Look at the files of the jobs; neither restic nor the repository is asked."""
        return {operation.id: self._work.read_progress(operation) for operation in operations}

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        """Interrupt restic, which then removes its lock and makes no snapshot."""
        with _translate_errors():
            return self._work.cancel(operation)

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        """Remove the jobs, and what was made if the operation has not succeeded."""
        with _translate_errors():
            return self._work.release(operation)

    def _execute(self, operation: Operation, own_paths: Sequence[str]) -> Progress:
        ability = self._abilities.get(operation.resource.type, {}).get(operation.verb)
        if ability is None or ability.support is not Support.SUPPORTED:
            known = ", ".join(sorted(self._abilities))
            raise Unsupported(
                f"restic does not {operation.verb} {operation.resource.type} (it does: {known})"
            )
        with _translate_errors():
            return self._work.execute(operation, own_paths)


@contextlib.contextmanager
def _translate_errors() -> Iterator[None]:
    """Say in the contract's words what goes wrong with files."""
    try:
        yield
    except OSError as error:
        raise BackendError(str(error)) from error
