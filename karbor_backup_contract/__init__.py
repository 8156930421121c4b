"""The contract suite: proves any backend, ours or a stranger's, by numbered rules.

An author writes a ``Harness`` and gives it to ``karbor_backup_contract.testing``; see
``docs/reference/contract.md``. Each name is loaded on first use, since pytest loads the plugin of
this package into every run.
"""

from typing import TYPE_CHECKING, Final

from karbor_backup_core.lazy_names import lazy_names

if TYPE_CHECKING:
    # "as" makes a name public to type checkers (PEP 484).
    from karbor_backup_contract._execution import RuleResult as RuleResult
    from karbor_backup_contract._execution import RuleStatus as RuleStatus
    from karbor_backup_contract._execution import run_rule as run_rule
    from karbor_backup_contract._html_report import write_report as write_report
    from karbor_backup_contract._live_harness import live_harness_factory as live_harness_factory
    from karbor_backup_contract._registry import Rule as Rule
    from karbor_backup_contract._registry import all_rules as all_rules
    from karbor_backup_contract._report import Report as Report
    from karbor_backup_contract._report import run_rules as run_rules
    from karbor_backup_contract._violation import RuleViolation as RuleViolation
    from karbor_backup_contract.harness import BackendFactory as BackendFactory
    from karbor_backup_contract.harness import Fault as Fault
    from karbor_backup_contract.harness import Harness as Harness
    from karbor_backup_contract.harness import Inventory as Inventory
    from karbor_backup_contract.harness import Resources as Resources
    from karbor_backup_contract.harness import WithdrawFault as WithdrawFault

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

lazy_names(__name__, _MODULES)
