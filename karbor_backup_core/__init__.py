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
    from karbor_backup_core._backend import Backend
    from karbor_backup_core._clock import Clock, ManualClock, system_clock
    from karbor_backup_core._errors import (
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
        truncate_faults,
    )
    from karbor_backup_core._escaping import printable, printable_lines, truncate_text
    from karbor_backup_core._execution.driver import Driver, PollResult
    from karbor_backup_core._execution.runner import Runner
    from karbor_backup_core._install_hints import DISTRIBUTION, install_hint
    from karbor_backup_core._lifecycle.outcomes import describe_result
    from karbor_backup_core._lifecycle.policy import Policy
    from karbor_backup_core._lifecycle.state_machine import Call, Lifecycle, next_call
    from karbor_backup_core._model import (
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
    from karbor_backup_core._paths import check_path, is_allowed_path
    from karbor_backup_core._planning import plan
    from karbor_backup_core._suggestions import closest_name, suggest_name
    from karbor_backup_core._version import CONTRACT_VERSION, __version__
    from karbor_backup_core._workflow import Step, StepCall, Workflow
    from karbor_backup_core.hookspecs import hookimpl
    from karbor_backup_core.secrets import Secret
    from karbor_backup_core.stores.base import Store
    from karbor_backup_core.stores.memory import MemoryStore

_MODULES: Final = {
    "Ability": "_model",
    "Backend": "_backend",
    "BackendError": "_errors",
    "BackendInfo": "_model",
    "BackendUnavailable": "_errors",
    "Backup": "_model",
    "BackupBusy": "_errors",
    "CONTRACT_VERSION": "_version",
    "Call": "_lifecycle.state_machine",
    "Check": "_model",
    "Clock": "_clock",
    "Conflict": "_errors",
    "DISTRIBUTION": "_install_hints",
    "ContractViolation": "_errors",
    "Driver": "_execution.driver",
    "Health": "_model",
    "InvalidDocument": "_errors",
    "InvalidInput": "_errors",
    "Json": "_model",
    "KarborBackupError": "_errors",
    "Leftover": "_model",
    "Lifecycle": "_lifecycle.state_machine",
    "ManualClock": "_clock",
    "Member": "_model",
    "MissingLibrary": "_errors",
    "MemoryStore": "stores.memory",
    "Operation": "_model",
    "Outcome": "_model",
    "Part": "_model",
    "Policy": "_lifecycle.policy",
    "PollResult": "_execution.driver",
    "Progress": "_model",
    "ProgressState": "_model",
    "RECEIPT_LIMIT": "_model",
    "Resource": "_model",
    "Result": "_model",
    "Runner": "_execution.runner",
    "Secret": "secrets",
    "State": "_model",
    "Step": "_workflow",
    "StepCall": "_workflow",
    "Store": "stores.base",
    "StoreError": "_errors",
    "StoreNotFound": "_errors",
    "Support": "_model",
    "Transient": "_errors",
    "UnknownBackend": "_errors",
    "UnknownBackup": "_errors",
    "UnknownOperation": "_errors",
    "Unsupported": "_errors",
    "Verb": "_model",
    "Workflow": "_workflow",
    "WrongBackend": "_errors",
    "WrongScope": "_errors",
    "__version__": "_version",
    "check_path": "_paths",
    "describe_result": "_lifecycle.outcomes",
    "closest_name": "_suggestions",
    "hookimpl": "hookspecs",
    "install_hint": "_install_hints",
    "is_allowed_path": "_paths",
    "next_call": "_lifecycle.state_machine",
    "plan": "_planning",
    "printable": "_escaping",
    "printable_lines": "_escaping",
    "suggest_name": "_suggestions",
    "truncate_faults": "_errors",
    "truncate_text": "_escaping",
    "system_clock": "_clock",
}
"""In which module each public name is."""

__all__ = [
    "CONTRACT_VERSION",
    "DISTRIBUTION",
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
    "PollResult",
    "Progress",
    "ProgressState",
    "Resource",
    "Result",
    "Runner",
    "Secret",
    "State",
    "Step",
    "StepCall",
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
    "Workflow",
    "WrongBackend",
    "WrongScope",
    "__version__",
    "check_path",
    "closest_name",
    "describe_result",
    "hookimpl",
    "install_hint",
    "is_allowed_path",
    "next_call",
    "plan",
    "printable",
    "printable_lines",
    "suggest_name",
    "system_clock",
    "truncate_faults",
    "truncate_text",
]

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
