"""Turns any backup service into a protection backend.

These are the public names. What is public beside them needs more than pluggy and attrs, and is
imported by its own name: ``karbor_backup_core.discovery``, ``karbor_backup_core.documents`` and
``karbor_backup_core.stores.sql``.

Each name's module is loaded when the name is first asked for: a backend does not load what drives
operations, and a pytest run that finds our plugin loads nothing.
"""

from typing import TYPE_CHECKING, Final

from karbor_backup_core.lazy_names import lazy_names

if TYPE_CHECKING:
    from karbor_backup_core.backend import Backend
    from karbor_backup_core.clock import Clock, ManualClock, system_clock
    from karbor_backup_core.driver import Driver, Polled
    from karbor_backup_core.errors import (
        BackendError,
        BackendUnavailable,
        BackupBusy,
        Conflict,
        ContractViolation,
        InvalidDocument,
        InvalidInput,
        KarborBackupError,
        MissingLibrary,
        StoreError,
        StoreNotFound,
        Transient,
        UnknownBackend,
        UnknownBackup,
        UnknownOperation,
        Unsupported,
        WrongBackend,
        WrongScope,
    )
    from karbor_backup_core.escaping import printable
    from karbor_backup_core.hookspecs import hookimpl
    from karbor_backup_core.installing import install_hint
    from karbor_backup_core.lifecycle import Call, Lifecycle, next_call
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
    from karbor_backup_core.paths import check_path, is_allowed_path
    from karbor_backup_core.planning import plan
    from karbor_backup_core.policy import Policy
    from karbor_backup_core.runner import Runner
    from karbor_backup_core.secrets import Secret
    from karbor_backup_core.stores.base import Store
    from karbor_backup_core.stores.memory import MemoryStore
    from karbor_backup_core.version import CONTRACT_VERSION, __version__

_MODULES: Final = {
    "Ability": "model",
    "Backend": "backend",
    "BackendError": "errors",
    "BackendInfo": "model",
    "BackendUnavailable": "errors",
    "Backup": "model",
    "BackupBusy": "errors",
    "CONTRACT_VERSION": "version",
    "Call": "lifecycle",
    "Check": "model",
    "Clock": "clock",
    "Conflict": "errors",
    "ContractViolation": "errors",
    "Driver": "driver",
    "Health": "model",
    "InvalidDocument": "errors",
    "InvalidInput": "errors",
    "Json": "model",
    "KarborBackupError": "errors",
    "Leftover": "model",
    "Lifecycle": "lifecycle",
    "ManualClock": "clock",
    "Member": "model",
    "MissingLibrary": "errors",
    "MemoryStore": "stores.memory",
    "Operation": "model",
    "Outcome": "model",
    "Part": "model",
    "Policy": "policy",
    "Polled": "driver",
    "Progress": "model",
    "ProgressState": "model",
    "RECEIPT_LIMIT": "model",
    "Resource": "model",
    "Result": "model",
    "Runner": "runner",
    "Secret": "secrets",
    "State": "model",
    "Store": "stores.base",
    "StoreError": "errors",
    "StoreNotFound": "errors",
    "Support": "model",
    "Transient": "errors",
    "UnknownBackend": "errors",
    "UnknownBackup": "errors",
    "UnknownOperation": "errors",
    "Unsupported": "errors",
    "Verb": "model",
    "WrongBackend": "errors",
    "WrongScope": "errors",
    "__version__": "version",
    "check_path": "paths",
    "hookimpl": "hookspecs",
    "install_hint": "installing",
    "is_allowed_path": "paths",
    "next_call": "lifecycle",
    "plan": "planning",
    "printable": "escaping",
    "system_clock": "clock",
}
"""In which module each public name is."""

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
    "MissingLibrary",
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
    "StoreNotFound",
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
    "check_path",
    "hookimpl",
    "install_hint",
    "is_allowed_path",
    "next_call",
    "plan",
    "printable",
    "system_clock",
]

__getattr__ = lazy_names(__name__, _MODULES)
