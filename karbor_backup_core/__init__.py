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
        Busy,
        Conflict,
        ContractViolation,
        HasDependents,
        InvalidDocument,
        InvalidInput,
        KarborBackupError,
        MissingLibrary,
        OperationFailed,
        OperationRefused,
        ResourceBusy,
        RunnerClosed,
        StoreError,
        StoreNotFound,
        Transient,
        UnknownBackend,
        UnknownBackup,
        UnknownOperation,
        Unsupported,
        WrongBackend,
        WrongPlace,
        WrongScope,
        truncate_faults,
    )
    from karbor_backup_core._escaping import printable, printable_lines, truncate_text
    from karbor_backup_core._execution.driver import Driver, PollResult
    from karbor_backup_core._execution.operation_future import OperationFuture
    from karbor_backup_core._execution.runner import Runner
    from karbor_backup_core._from_config import open_runner
    from karbor_backup_core._install_hints import DISTRIBUTION, install_hint
    from karbor_backup_core._lifecycle.policy import Policy
    from karbor_backup_core._lifecycle.state_machine import Call, Lifecycle, next_call
    from karbor_backup_core._model import (
        RECEIPT_LIMIT,
        Ability,
        Amount,
        BackendInfo,
        Backup,
        Check,
        Health,
        Json,
        Lease,
        Leftover,
        Member,
        Operation,
        Outcome,
        Part,
        Place,
        Progress,
        ProgressState,
        Resource,
        Result,
        Retry,
        SharedResource,
        State,
        Support,
        Verb,
    )
    from karbor_backup_core._outcome_messages import describe_end, describe_result
    from karbor_backup_core._paths import check_path, is_allowed_path
    from karbor_backup_core._planning import (
        plan_copy,
        plan_delete,
        plan_maintenance,
        plan_protect,
        plan_restore,
        plan_verify,
    )
    from karbor_backup_core._suggestions import closest_name, suggest_known, suggest_name
    from karbor_backup_core._version import CONTRACT_VERSION, __version__
    from karbor_backup_core._workflow import Step, StepCall, Workflow
    from karbor_backup_core.hookspecs import hookimpl
    from karbor_backup_core.secrets import Secret
    from karbor_backup_core.stores.base import Store
    from karbor_backup_core.stores.memory import MemoryStore

_MODULES: Final = {
    "_backend": "Backend",
    "_clock": "Clock ManualClock system_clock",
    "_errors": (
        "BackendError BackendUnavailable BackupBusy Busy Conflict ContractViolation HasDependents "
        "InvalidDocument InvalidInput KarborBackupError MissingLibrary OperationFailed "
        "OperationRefused ResourceBusy RunnerClosed StoreError StoreNotFound Transient "
        "UnknownBackend UnknownBackup UnknownOperation Unsupported WrongBackend WrongPlace "
        "WrongScope truncate_faults"
    ),
    "_escaping": "printable printable_lines truncate_text",
    "_execution.driver": "Driver PollResult",
    "_execution.operation_future": "OperationFuture",
    "_execution.runner": "Runner",
    "_from_config": "open_runner",
    "_install_hints": "DISTRIBUTION install_hint",
    "_lifecycle.policy": "Policy",
    "_lifecycle.state_machine": "Call Lifecycle next_call",
    "_model": (
        "Ability Amount BackendInfo Backup Check Health Json Lease Leftover Member Operation "
        "Outcome Part Place Progress ProgressState RECEIPT_LIMIT Resource Result Retry "
        "SharedResource State Support Verb"
    ),
    "_outcome_messages": "describe_end describe_result",
    "_paths": "check_path is_allowed_path",
    "_planning": "plan_copy plan_delete plan_maintenance plan_protect plan_restore plan_verify",
    "_suggestions": "closest_name suggest_known suggest_name",
    "_version": "CONTRACT_VERSION __version__",
    "_workflow": "Step StepCall Workflow",
    "hookspecs": "hookimpl",
    "secrets": "Secret",
    "stores.base": "Store",
    "stores.memory": "MemoryStore",
}
"""The public names of each module."""

__all__ = [
    "CONTRACT_VERSION",
    "DISTRIBUTION",
    "RECEIPT_LIMIT",
    "Ability",
    "Amount",
    "Backend",
    "BackendError",
    "BackendInfo",
    "BackendUnavailable",
    "Backup",
    "BackupBusy",
    "Busy",
    "Call",
    "Check",
    "Clock",
    "Conflict",
    "ContractViolation",
    "Driver",
    "HasDependents",
    "Health",
    "InvalidDocument",
    "InvalidInput",
    "Json",
    "KarborBackupError",
    "Lease",
    "Leftover",
    "Lifecycle",
    "ManualClock",
    "Member",
    "MemoryStore",
    "MissingLibrary",
    "Operation",
    "OperationFailed",
    "OperationFuture",
    "OperationRefused",
    "Outcome",
    "Part",
    "Place",
    "Policy",
    "PollResult",
    "Progress",
    "ProgressState",
    "Resource",
    "ResourceBusy",
    "Result",
    "Retry",
    "Runner",
    "RunnerClosed",
    "Secret",
    "SharedResource",
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
    "WrongPlace",
    "WrongScope",
    "__version__",
    "check_path",
    "closest_name",
    "describe_end",
    "describe_result",
    "hookimpl",
    "install_hint",
    "is_allowed_path",
    "next_call",
    "open_runner",
    "plan_copy",
    "plan_delete",
    "plan_maintenance",
    "plan_protect",
    "plan_restore",
    "plan_verify",
    "printable",
    "printable_lines",
    "suggest_known",
    "suggest_name",
    "system_clock",
    "truncate_faults",
    "truncate_text",
]

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
