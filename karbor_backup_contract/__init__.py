"""The contract suite: proves any backend, ours or a stranger's, by numbered rules.

An author writes a ``Harness`` and gives it to ``karbor_backup_contract.testing``; see
``docs/reference/contract.md``. Each name is loaded on first use, since pytest loads the plugin of
this package into every run.
"""

from typing import TYPE_CHECKING, Final

from karbor_backup_core.lazy_names import lazy_names

if TYPE_CHECKING:
    from karbor_backup_contract._execution import RuleResult, RuleStatus, run_rule
    from karbor_backup_contract._html_report import write_report
    from karbor_backup_contract._live_harness import live_harness_factory
    from karbor_backup_contract._registry import Rule, all_rules
    from karbor_backup_contract._report import Report, run_rules
    from karbor_backup_contract._violation import RuleViolation
    from karbor_backup_contract.harness import (
        BackendFactory,
        Fault,
        Harness,
        Inventory,
        Resources,
        WithdrawFault,
    )

_MODULES: Final = {
    "_execution": "RuleResult RuleStatus run_rule",
    "_html_report": "write_report",
    "_live_harness": "live_harness_factory",
    "_registry": "Rule all_rules",
    "_report": "Report run_rules",
    "_violation": "RuleViolation",
    "harness": "BackendFactory Fault Harness Inventory Resources WithdrawFault",
}
"""The public names of each module."""

__all__ = [
    "BackendFactory",
    "Fault",
    "Harness",
    "Inventory",
    "Report",
    "Resources",
    "Rule",
    "RuleResult",
    "RuleStatus",
    "RuleViolation",
    "WithdrawFault",
    "all_rules",
    "live_harness_factory",
    "run_rule",
    "run_rules",
    "write_report",
]

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
