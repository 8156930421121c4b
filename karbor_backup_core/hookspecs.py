"""The contract: what a backend must do, and what an extension may do.

A backend is a class whose methods carry ``@hookimpl``. It implements every hook of ``BackendSpec``
and holds no state about operations: another process, with another object, goes on from the
receipt. Its class attribute ``CONFIG_SCHEMA`` is a JSON Schema of its configuration in which
secrets are marked ``"writeOnly": true``; the core validates the configuration, wraps each secret
in ``karbor_backup_core.Secret`` and calls the class with it. Neither the constructor nor
``describe`` may need the service.

Rules that hold for every hook:

- ``None`` is never an answer.
- A hook never waits for work outside; it makes one attempt at each request, with a timeout.
- Failure of the work outside is data (``Progress`` with state ``failed``). Exceptions are for a
  broken call: ``Transient`` when a repeat may help, ``BackendError`` when it would not.
- Secrets appear in no answer and in no message.
- A call may come late, from a process that was paused and has lost the operation to another one.
  ``Operation.fence`` rises with each takeover: where the service can compare, it refuses a number
  lower than one it has seen; where it cannot, names made from the operation's id are created
  only if they are not there, and nothing is replaced.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import pluggy

from karbor_backup_core._model import BackendInfo, Health, Operation, Progress

PROJECT: Final = "karbor_backup"
"""The name under which pluggy finds the marks of this contract."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class BackendSpec:
    """What every backend implements, each hook exactly once."""

    @hookspec(firstresult=True)
    def describe(self) -> BackendInfo:  # type: ignore[empty-body]
        """Say what this backend is and what it can do, without asking the service."""

    @hookspec(firstresult=True)
    def scope(self) -> str:  # type: ignore[empty-body]
        """Name the endpoint and project that this backend looks at.

        The same service and project always give the same text; operations and backups carry it.
        So it is made of what stays when the service gets another URL, where there is such a thing.
        It may be asked for often, so what it costs is paid once.

        Raises:
            Transient: the service that knows cannot be reached now.
            BackendError: the credentials are refused, or nothing is configured.
        """

    @hookspec(firstresult=True)
    def check(self) -> Health:  # type: ignore[empty-body]
        """Look whether operations can be expected to work now. Changes nothing."""

    @hookspec(firstresult=True)
    def protect(self, operation: Operation) -> Progress:  # type: ignore[empty-body]
        """Begin, or take the next step of, protecting ``operation.resource``.

        Like the other verbs it makes one change that must not be repeated, under an id or name
        made from ``(operation.id, operation.phase)``. With ``operation.attempt`` 1 nothing of
        this phase exists yet; with more, look first and create only what is absent.

        Returns:
            ``running`` while work goes on outside, ``ready`` when it ended and this hook is to be
            called again, or how it ended. ``succeeded`` carries the backup's ``handle``.

        Raises:
            Unsupported: this type is not declared; nothing has been started.
            InvalidInput: this cannot be done as asked; nothing has been started. In the first
                attempt of the first phase the operation is over then, without a release.
            Transient: the call may be repeated.
            BackendError: the call must not be repeated; the operation fails.
        """

    @hookspec(firstresult=True)
    def restore(self, operation: Operation, own_paths: Sequence[str]) -> Progress:  # type: ignore[empty-body]
        """Begin, or take the next step of, restoring ``operation.backup``.

        ``own_paths`` are the absolute paths of what the calling program itself works with on
        this host, such as the file of its store: a restore that would remove or replace one of
        them is refused. A backend that restores to no path of a host need not name it.

        Rules and errors are those of ``protect``. ``succeeded`` names the ``resources`` that now
        hold the data, the whole first, where the service can tell; ``parts`` say what each
        member became.
        """

    @hookspec(firstresult=True)
    def delete(self, operation: Operation) -> Progress:  # type: ignore[empty-body]
        """Begin, or take the next step of, removing ``operation.backup`` and no other.

        Rules and errors are those of ``protect``. A backup that is gone already is ``succeeded``.
        """

    @hookspec(firstresult=True)
    def verify(self, operation: Operation) -> Progress:  # type: ignore[empty-body]
        """Begin, or take the next step of, checking that ``operation.backup`` can be restored.

        Rules and errors are those of ``protect``. ``checks`` says what was seen and what was not.
        """

    @hookspec(firstresult=True)
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:  # type: ignore[empty-body]
        """Look how the work of all these operations stands. Only reads.

        It never overlaps itself. Operations come in any state but ``planned`` and ``released``:
        for one in ``submitting`` the question is whether this phase's work was begun at all; for
        one in ``releasing`` whether ``release`` may be called again.

        Returns:
            An answer for every id. A fault of one operation is its own ``failed``. ``unknown``
            only after asking for that very id.

        Raises:
            Transient: nothing could be asked.
        """

    @hookspec(firstresult=True)
    def cancel(self, operation: Operation) -> bool:  # type: ignore[empty-body]
        """Ask the service to stop the work outside.

        Returns:
            Whether the service took the request; the work may end in any way all the same.
        """

    @hookspec(firstresult=True)
    def release(self, operation: Operation) -> Progress:  # type: ignore[empty-body]
        """Remove what the service keeps of an operation whose work outside has ended.

        After ``outcome.result`` ``succeeded`` that is the service's own bookkeeping; after any
        other result also everything that the operation made. Called again under the same id, it
        finds less to do.

        Returns:
            ``succeeded`` when nothing is left but the ``leftovers`` named; ``running`` while work
            of its own goes on outside: core polls, and calls it again on ``ready``.
        """


class ExtensionSpec:
    """What an extension may implement; it may also wrap a hook of ``BackendSpec``.

    A wrapper may refuse before it yields, or measure; it must not swallow or replace an answer.
    """

    @hookspec
    def operation_changed(self, operation: Operation, before: Operation | None) -> None:
        """Hear of a change after it was written; ``before`` is None for a new operation.

        Calls come one at a time. What it raises is logged and goes no further.
        """


BACKEND_HOOKS: Final = tuple(
    name for name, hook in vars(BackendSpec).items() if hasattr(hook, f"{PROJECT}_spec")
)
"""The hooks that every backend implements."""
