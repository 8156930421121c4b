"""The contract suite: proves any backend, ours or a stranger's, by numbered rules.

An author writes a ``Harness`` and gives it to ``karbor_backup_contract.testing``; see
``docs/contract.md``. Each name is loaded when it is first asked for, since pytest loads the plugin
that lives here into every run.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from karbor_backup_contract._execution import RuleResult, RuleStatus, run_rule
    from karbor_backup_contract._html_report import write_report
    from karbor_backup_contract._live_harness import live_harness_factory
    from karbor_backup_contract._registry import Rule, all_rules
    from karbor_backup_contract._report import Report, run_rules
    from karbor_backup_contract._violation import RuleViolation
    from karbor_backup_contract.harness import Fault, Harness, Inventory, Resources

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
    "all_rules",
    "live_harness_factory",
    "run_rule",
    "run_rules",
    "write_report",
]


def __getattr__(name: str) -> Any:
    """Load a name when it is first asked for (PEP 562).

    Raises:
        AttributeError: the package has no such name.
    """
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return what is public."""
    return __all__
