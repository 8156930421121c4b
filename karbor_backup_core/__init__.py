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
    # "as" makes a name public to type checkers (PEP 484).
    from karbor_backup_core._backend import Backend as Backend
    from karbor_backup_core._clock import Clock as Clock
    from karbor_backup_core._clock import ManualClock as ManualClock
    from karbor_backup_core._clock import system_clock as system_clock
    from karbor_backup_core._errors import BackendError as BackendError
    from karbor_backup_core._errors import BackendUnavailable as BackendUnavailable
    from karbor_backup_core._errors import BackupBusy as BackupBusy
    from karbor_backup_core._errors import Busy as Busy
    from karbor_backup_core._errors import Conflict as Conflict
    from karbor_backup_core._errors import ContractViolation as ContractViolation
    from karbor_backup_core._errors import HasDependents as HasDependents
    from karbor_backup_core._errors import InvalidDocument as InvalidDocument
    from karbor_backup_core._errors import InvalidInput as InvalidInput
    from karbor_backup_core._errors import KarborBackupError as KarborBackupError
    from karbor_backup_core._errors import MissingLibrary as MissingLibrary
    from karbor_backup_core._errors import OperationFailed as OperationFailed
    from karbor_backup_core._errors import OperationRefused as OperationRefused
    from karbor_backup_core._errors import ResourceBusy as ResourceBusy
    from karbor_backup_core._errors import RunnerClosed as RunnerClosed
    from karbor_backup_core._errors import StoreError as StoreError
    from karbor_backup_core._errors import StoreNotFound as StoreNotFound
    from karbor_backup_core._errors import Transient as Transient
    from karbor_backup_core._errors import UnknownBackend as UnknownBackend
    from karbor_backup_core._errors import UnknownBackup as UnknownBackup
    from karbor_backup_core._errors import UnknownOperation as UnknownOperation
    from karbor_backup_core._errors import Unsupported as Unsupported
    from karbor_backup_core._errors import WrongBackend as WrongBackend
    from karbor_backup_core._errors import WrongPlace as WrongPlace
    from karbor_backup_core._errors import WrongScope as WrongScope
    from karbor_backup_core._errors import truncate_faults as truncate_faults
    from karbor_backup_core._escaping import printable as printable
    from karbor_backup_core._escaping import printable_lines as printable_lines
    from karbor_backup_core._escaping import truncate_text as truncate_text
    from karbor_backup_core._execution.driver import Driver as Driver
    from karbor_backup_core._execution.driver import PollResult as PollResult
    from karbor_backup_core._execution.operation_future import OperationFuture as OperationFuture
    from karbor_backup_core._execution.runner import Runner as Runner
    from karbor_backup_core._from_config import open_runner as open_runner
    from karbor_backup_core._install_hints import DISTRIBUTION as DISTRIBUTION
    from karbor_backup_core._install_hints import install_hint as install_hint
    from karbor_backup_core._lifecycle.policy import Policy as Policy
    from karbor_backup_core._lifecycle.state_machine import Call as Call
    from karbor_backup_core._lifecycle.state_machine import Lifecycle as Lifecycle
    from karbor_backup_core._lifecycle.state_machine import next_call as next_call
    from karbor_backup_core._model import RECEIPT_LIMIT as RECEIPT_LIMIT
    from karbor_backup_core._model import Ability as Ability
    from karbor_backup_core._model import Amount as Amount
    from karbor_backup_core._model import BackendInfo as BackendInfo
    from karbor_backup_core._model import Backup as Backup
    from karbor_backup_core._model import Check as Check
    from karbor_backup_core._model import Health as Health
    from karbor_backup_core._model import Json as Json
    from karbor_backup_core._model import Lease as Lease
    from karbor_backup_core._model import Leftover as Leftover
    from karbor_backup_core._model import LimitedJson as LimitedJson
    from karbor_backup_core._model import Member as Member
    from karbor_backup_core._model import Operation as Operation
    from karbor_backup_core._model import Outcome as Outcome
    from karbor_backup_core._model import Part as Part
    from karbor_backup_core._model import Place as Place
    from karbor_backup_core._model import Progress as Progress
    from karbor_backup_core._model import ProgressState as ProgressState
    from karbor_backup_core._model import Resource as Resource
    from karbor_backup_core._model import Result as Result
    from karbor_backup_core._model import Retry as Retry
    from karbor_backup_core._model import SharedResource as SharedResource
    from karbor_backup_core._model import State as State
    from karbor_backup_core._model import Support as Support
    from karbor_backup_core._model import Verb as Verb
    from karbor_backup_core._outcome_messages import describe_end as describe_end
    from karbor_backup_core._outcome_messages import describe_result as describe_result
    from karbor_backup_core._paths import check_path as check_path
    from karbor_backup_core._paths import is_allowed_path as is_allowed_path
    from karbor_backup_core._planning import plan_copy as plan_copy
    from karbor_backup_core._planning import plan_delete as plan_delete
    from karbor_backup_core._planning import plan_maintenance as plan_maintenance
    from karbor_backup_core._planning import plan_protect as plan_protect
    from karbor_backup_core._planning import plan_restore as plan_restore
    from karbor_backup_core._planning import plan_verify as plan_verify
    from karbor_backup_core._suggestions import closest_name as closest_name
    from karbor_backup_core._suggestions import suggest_known as suggest_known
    from karbor_backup_core._suggestions import suggest_name as suggest_name
    from karbor_backup_core._version import CONTRACT_VERSION as CONTRACT_VERSION
    from karbor_backup_core._version import __version__ as __version__
    from karbor_backup_core._workflow import Step as Step
    from karbor_backup_core._workflow import StepCall as StepCall
    from karbor_backup_core._workflow import Workflow as Workflow
    from karbor_backup_core.hookspecs import hookimpl as hookimpl
    from karbor_backup_core.secrets import Secret as Secret
    from karbor_backup_core.stores.base import Store as Store
    from karbor_backup_core.stores.memory import MemoryStore as MemoryStore

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
        "Ability Amount BackendInfo Backup Check Health Json Lease Leftover LimitedJson Member "
        "Operation Outcome Part Place Progress ProgressState RECEIPT_LIMIT Resource Result Retry "
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

lazy_names(__name__, _MODULES)
