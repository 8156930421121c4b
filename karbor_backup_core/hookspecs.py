"""The contract: what a backend must do, and what an extension may do.

A backend is a class whose methods carry ``@hookimpl``. It implements every hook of ``BackendSpec``
but for the optional ones (``OPTIONAL_HOOKS``), which say what it means that one is missing. It
keeps no state of operations: another process, with another object, continues from the receipt. Its
class attribute ``CONFIG_SCHEMA`` is a JSON Schema of its configuration in which secrets are marked
``"writeOnly": true``; the core validates the configuration, wraps each secret in
``karbor_backup_core.Secret`` and calls the class with it. Neither the constructor nor ``describe``
may need the service.

Rules that hold for every hook:

- A hook never returns ``None``, except ``place`` and ``operation_changed``.
- A hook never waits for work in the service. It makes each request once, with a timeout.
- A failure of the work in the service is data (``Progress`` with state ``failed``). An exception
  means that the call failed: ``Transient`` if a repeat may help, ``BackendError`` if not.
- Results and messages contain no secrets.
- A call may come late, from a process that was paused while another process took over its
  operation. ``Operation.fence`` rises with each takeover. If the service can compare numbers, it
  refuses a number lower than one that it has received. If it cannot, the backend derives names
  from the operation's id, creates only what does not exist, and replaces nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import pluggy

from karbor_backup_core._model import (
    BackendInfo,
    Backup,
    Health,
    Operation,
    Place,
    Progress,
    SharedResource,
)

PROJECT: Final = "karbor_backup"
"""The name under which pluggy finds the marks of this contract."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a method that implements a hook: ``@hookimpl``."""


class BackendSpec:
    """The hooks of a backend, each implemented exactly once, or not at all if it is optional."""

    @hookspec(firstresult=True)
    def describe(self) -> BackendInfo:  # type: ignore[empty-body]
        """Return the backend's name, versions and abilities, without a request to the service."""

    @hookspec(firstresult=True)
    def scope(self) -> str:  # type: ignore[empty-body]
        """Return a text that identifies the endpoint and project that this backend uses.

        The same service and project always give the same text; operations and backups carry it.
        If the service has an identity that stays the same under another URL, the text is made of
        it. The hook may be called often, so a backend computes the text once.

        Raises:
            Transient: the service that knows the identity cannot be reached now.
            BackendError: the credentials are refused, or nothing is configured.
        """

    @hookspec(firstresult=True)
    def check(self) -> Health:  # type: ignore[empty-body]
        """Check whether operations can be expected to work now. Changes nothing."""

    @hookspec(firstresult=True)
    def place(self) -> Place | None:
        """Return where work goes on that is begun here, if it can be seen from this host alone.

        It is asked before the first call of an operation, which is stored with the answer first,
        and before a process goes on with an operation that is bound to a place: on another host
        that is refused, instead of taking work that cannot be seen from there for lost. Every
        object on the same host gives the same answer, before and after a restart of the host.

        This hook is optional. Without it, or with the answer ``None``, any host can go on.

        Raises:
            Transient: it cannot be told now.
            InvalidInput: nothing can be begun here as it is configured.
            BackendError: nothing can be begun here.
        """

    @hookspec(firstresult=True)
    def protect(self, operation: Operation) -> Progress:  # type: ignore[empty-body]
        """Start, or continue, protecting ``operation.resource``.

        Like the other verbs it makes one change that must not be repeated, under an id or name
        derived from ``(operation.id, operation.phase)``. If ``operation.attempt`` is 1, nothing of
        this phase exists yet. If it is higher, check first and create only what does not exist.

        Returns:
            ``running`` while work continues in the service, ``ready`` when it has ended and this
            hook is to be called again, or the result. ``succeeded`` carries the backup's
            ``handle``.

        Raises:
            Unsupported: this type is not declared; nothing has been started.
            InvalidInput: this cannot be done as asked; nothing has been started. In the first
                attempt of the first phase the operation is over then, without a release.
            Transient: the call may be repeated.
            BackendError: the call must not be repeated; the operation fails.
        """

    @hookspec(firstresult=True)
    def restore(self, operation: Operation, own_paths: Sequence[str]) -> Progress:  # type: ignore[empty-body]
        """Start, or continue, restoring ``operation.backup``.

        ``own_paths`` are the absolute paths of files and folders on this host that the calling
        program uses, such as the file of its store. The backend refuses a restore that would
        remove or replace one of them. A backend that restores to no path of a host need not name
        the argument.

        Rules and errors are those of ``protect``. ``succeeded`` names the ``resources`` that now
        hold the data, the whole first, if the service reports them; ``parts`` has the result of
        each member.
        """

    @hookspec(firstresult=True)
    def delete(self, operation: Operation) -> Progress:  # type: ignore[empty-body]
        """Start, or continue, removing ``operation.backup`` and no other.

        Rules and errors are those of ``protect``. A backup that is gone is ``succeeded``.
        """

    @hookspec(firstresult=True)
    def verify(self, operation: Operation) -> Progress:  # type: ignore[empty-body]
        """Start, or continue, checking that ``operation.backup`` can be restored.

        Rules and errors are those of ``protect``. ``checks`` lists what was and was not verified.
        """

    @hookspec(firstresult=True)
    def maintain(self, operation: Operation) -> Progress:  # type: ignore[empty-body]
        """Start, or continue, the maintenance ``operation.action`` of what all backups share.

        What could be restored before can be restored after it, also after a cancel or a failure.
        Rules and errors are those of ``protect``; ``checks`` lists what was and was not verified.

        This hook is optional: a backend that declares a ``maintenance`` implements it.
        """

    @hookspec(firstresult=True)
    def copy(self, operation: Operation) -> Progress:  # type: ignore[empty-body]
        """Start, or continue, copying ``operation.backup``, which another backend of its kind made.

        The copy is made in the place that this backend uses, and is restored, verified and deleted
        by this backend alone, also when all is lost from where the first backup lies. The first
        backup is only read. Its ``scope`` says where it lies, and the configuration of this backend
        how it is read there; a scope that the configuration does not know, or that is this
        backend's own, is ``InvalidInput``.

        Rules and errors are those of ``protect``. ``succeeded`` carries the ``handle`` of the copy,
        and ``members`` as the first backup has them. What is at the place where the first backup
        lies, such as a lock, is left as it was.

        This hook is optional: a backend that declares ``copy`` for a type implements it.
        """

    @hookspec(firstresult=True)
    def dependents(self, backup: Backup) -> Sequence[str]:  # type: ignore[empty-body]
        """Return the backups that cannot be restored without this one. Only reads.

        A delete of a backup that has any is refused when it is planned. Each is named by the id of
        the backup where this program made it, and otherwise by the service's words for it; the one
        that has to be deleted first comes first. A backup that is gone has none, and neither has
        one whose handle cannot be read: the delete itself says so.

        This hook is optional. Without it no backup depends on another one.

        Raises:
            Transient: it cannot be told now.
            BackendError: it cannot be told.
        """

    @hookspec(firstresult=True)
    def shared_resources(self, operation: Operation) -> Sequence[SharedResource]:  # type: ignore[empty-body]
        """Return what an operation uses together with others, such as a repository. Only reads.

        It is asked when the operation is planned, and the answer is stored with the operation. From
        its first call to its release the operation has each of these resources to itself, if that
        is ``exclusive``, or beside others that share it. Until it can have all of them it waits,
        and what was submitted later does not overtake it. This holds for all processes on one
        store; what others do with the service is for the backend itself to look at.

        Every object gives the same answer for the same operation. A resource has one name, in the
        answers of all backends that use it, and no other resource has that name.

        This hook is optional. Without it operations share nothing but backups.

        Raises:
            Transient: it cannot be told now.
            InvalidInput: the operation cannot be done as asked.
            BackendError: it cannot be told.
        """

    @hookspec(firstresult=True)
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:  # type: ignore[empty-body]
        """Return the progress of all these operations. Only reads.

        The core never makes two calls at once. Operations come in any state but ``planned`` and
        ``released``: for one in ``submitting`` return whether this phase's work was started; for
        one in ``releasing`` whether ``release`` may be called again.

        Returns:
            A result for every id. The failure of one operation is ``failed`` for that operation
            only. Return ``unknown`` only after a request for that very id.

        Raises:
            Transient: no request could be made.
        """

    @hookspec(firstresult=True)
    def cancel(self, operation: Operation) -> bool:  # type: ignore[empty-body]
        """Ask the service to stop the work of an operation.

        When it raises, the hook is called again, with polls in between, until it returns or the
        work has ended.

        Returns:
            Whether the service accepted the request; the work may still end in any way.
        """

    @hookspec(firstresult=True)
    def release(self, operation: Operation) -> Progress:  # type: ignore[empty-body]
        """Remove what the service keeps of an operation whose work has ended.

        After ``outcome.result`` ``succeeded`` this is the service's own bookkeeping; after any
        other result also everything that the operation made. The hook may be called again for the
        same operation, and then removes what is left.

        Returns:
            ``succeeded`` if nothing is left but the named ``leftovers``; ``running`` while work of
            the release itself continues in the service: the core polls, and calls the hook again
            on ``ready``.
        """


class ExtensionSpec:
    """The hooks that an extension may implement; it implements none of ``BackendSpec``.

    An extension may refuse a call of a backend's hook and measure it. It cannot change a result or
    an exception of the backend.
    """

    @hookspec
    def before_call(self, hook: str, arguments: Mapping[str, object]) -> None:
        """Receive the name and the arguments of a backend's hook before it is called.

        Calls come from several threads.

        Raises:
            KarborBackupError: the backend is not called. This is what the core gets instead of a
                result: ``InvalidInput`` refuses the operation, ``Transient`` postpones the call,
                ``BackendError`` fails the operation. Any other exception is a fault of the
                extension, and fails the operation too.
        """

    @hookspec
    def after_call(
        self,
        hook: str,
        arguments: Mapping[str, object],
        result: object,
        error: Exception | None,
        seconds: float,
    ) -> None:
        """Receive what a backend's hook returned or raised, and how many seconds it took.

        It is called after each call of the backend, not after a refused one, from several threads.
        ``result`` is None where ``error`` is set. Exceptions are logged and have no other effect.
        """

    @hookspec
    def operation_changed(self, operation: Operation, before: Operation | None) -> None:
        """Receive a change after it was written; ``before`` is None for a new operation.

        Calls come one at a time. Exceptions are logged and have no other effect.
        """


def _hook_names(specification: type) -> tuple[str, ...]:
    return tuple(
        name for name, hook in vars(specification).items() if hasattr(hook, f"{PROJECT}_spec")
    )


BACKEND_HOOKS: Final = _hook_names(BackendSpec)
"""The hooks of a backend."""

OPTIONAL_HOOKS: Final = ("place", "maintain", "copy", "dependents", "shared_resources")
"""Those that a backend need not implement; contract 1.1 brought them."""

EXTENSION_HOOKS: Final = _hook_names(ExtensionSpec)
"""The hooks that an extension may implement."""
