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
    from karbor_backup_contract.harness import Fault, Harness, Inventory, Resources, WithdrawFault

_MODULES: Final = {
    "Harness": "harness",
    "RuleViolation": "_violation",
    "Fault": "harness",
    "Inventory": "harness",
    "Report": "_report",
    "Resources": "harness",
    "Rule": "_registry",
    "RuleStatus": "_execution",
    "RuleResult": "_execution",
    "all_rules": "_registry",
    "live_harness_factory": "_live_harness",
    "write_report": "_html_report",
    "WithdrawFault": "harness",
    "run_rules": "_report",
    "run_rule": "_execution",
}
"""In which module each public name is."""

__all__ = [
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
