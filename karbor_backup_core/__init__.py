"""Turns any backup service into a protection backend.

These are the public names. What is public beside them needs more than pluggy and attrs, and is
imported by its own name: ``karbor_backup_core.discovery``, ``karbor_backup_core.documents`` and
``karbor_backup_core.stores.sql``.

What drives operations is loaded when it is first asked for: a backend needs none of it.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

from karbor_backup_core.clock import Clock, ManualClock, system_clock
from karbor_backup_core.errors import (
    BackendError,
    BackendUnavailable,
    BackupBusy,
    Conflict,
    ContractViolation,
    InvalidDocument,
    InvalidInput,
    KarborBackupError,
    StoreError,
    Transient,
    UnknownBackend,
    UnknownBackup,
    UnknownOperation,
    Unsupported,
    WrongBackend,
    WrongScope,
)
from karbor_backup_core.hookspecs import hookimpl
from karbor_backup_core.model import (
    RECEIPT_LIMIT,
    Ability,
    BackendInfo,
    Backup,
    Check,
    Health,
    Json,
    Leftover,
    Member,
    Operation,
    Outcome,
    Part,
    Progress,
    ProgressState,
    Resource,
    Result,
    State,
    Support,
    Verb,
)
from karbor_backup_core.policy import Policy
from karbor_backup_core.secrets import Secret
from karbor_backup_core.version import CONTRACT_VERSION, __version__

if TYPE_CHECKING:
    from karbor_backup_core.backend import Backend
    from karbor_backup_core.driver import Driver, Polled
    from karbor_backup_core.lifecycle import Call, Lifecycle, next_call
    from karbor_backup_core.planning import plan
    from karbor_backup_core.runner import Runner
    from karbor_backup_core.stores.base import Store
    from karbor_backup_core.stores.memory import MemoryStore

_LATER: Final = {
    "Backend": "backend",
    "Call": "lifecycle",
    "Driver": "driver",
    "Lifecycle": "lifecycle",
    "MemoryStore": "stores.memory",
    "Polled": "driver",
    "Runner": "runner",
    "Store": "stores.base",
    "next_call": "lifecycle",
    "plan": "planning",
}
"""In which module each name is that is loaded later."""

__all__ = [
    "CONTRACT_VERSION",
    "RECEIPT_LIMIT",
    "Ability",
    "Backend",
    "BackendError",
    "BackendInfo",
    "BackendUnavailable",
    "Backup",
    "BackupBusy",
    "Call",
    "Check",
    "Clock",
    "Conflict",
    "ContractViolation",
    "Driver",
    "Health",
    "InvalidDocument",
    "InvalidInput",
    "Json",
    "KarborBackupError",
    "Leftover",
    "Lifecycle",
    "ManualClock",
    "Member",
    "MemoryStore",
    "Operation",
    "Outcome",
    "Part",
    "Policy",
    "Polled",
    "Progress",
    "ProgressState",
    "Resource",
    "Result",
    "Runner",
    "Secret",
    "State",
    "Store",
    "StoreError",
    "Support",
    "Transient",
    "UnknownBackend",
    "UnknownBackup",
    "UnknownOperation",
    "Unsupported",
    "Verb",
    "WrongBackend",
    "WrongScope",
    "__version__",
    "hookimpl",
    "next_call",
    "plan",
    "system_clock",
]


def __getattr__(name: str) -> Any:
    """Load a name when it is first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value
