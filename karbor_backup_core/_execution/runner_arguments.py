"""Checks of what a program gives to a runner."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from karbor_backup_core._backend import Backend
from karbor_backup_core._errors import InvalidInput
from karbor_backup_core._lifecycle.policy import Policy
from karbor_backup_core.stores.base import Store


def check_arguments(
    store: Store,
    policy: Policy | None,
    clock: object,
    threads: int,
    *listeners: Callable[..., object] | None,
) -> None:
    """Check the arguments of a runner, but for its backends.

    Raises:
        InvalidInput: one is of another type than it should be.
    """
    if isinstance(store, type) or not callable(getattr(store, "cancel_requests", None)):
        # Not the value: it may be a URL with a password.
        raise InvalidInput(
            f"give a store, such as MemoryStore() or SQLStore(url), not a {type(store).__name__}"
        )
    if not isinstance(policy, Policy | None):
        raise InvalidInput(f"policy {policy!r}: give a Policy, or None")
    if not isinstance(threads, int) or isinstance(threads, bool) or threads < 1:
        raise InvalidInput(f"threads {threads!r}: give a positive number")
    for function in (clock, *(each for each in listeners if each is not None)):
        if not callable(function):
            raise InvalidInput(f"{function!r} as clock, on_change or on_lost: give a function")


def index_by_name(backends: Mapping[str, Backend] | Iterable[Backend]) -> dict[str, Backend]:
    """Return backends by name.

    Raises:
        InvalidInput: there is something else, a name is not that of its backend, or two backends
            have the same.
    """
    if isinstance(backends, Mapping):
        indexed: dict[str, Backend] = index_by_name(backends.values())
        for name, backend in backends.items():
            if name != backend.name:
                raise InvalidInput(f"backend {backend.name!r} is given as {name!r}: use one name")
        return indexed
    if isinstance(backends, str) or not isinstance(backends, Iterable):
        raise InvalidInput(f"backends {backends!r}: give several, as a list or by name")
    indexed = {}
    for backend in backends:
        if not isinstance(backend, Backend):
            raise InvalidInput(f"backend {backend!r}: give a Backend, as Backend.load returns it")
        if indexed.setdefault(backend.name, backend) is not backend:
            raise InvalidInput(f"two backends are named {backend.name!r}: rename one of them")
    return indexed


def check_id(operation_id: Any) -> None:
    """Check that the id of an operation is a text.

    Raises:
        InvalidInput: it is not.
    """
    if not isinstance(operation_id, str):
        raise InvalidInput(f"give the id of an operation, not a {type(operation_id).__name__}")
