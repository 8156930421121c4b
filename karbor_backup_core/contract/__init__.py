"""The contract suite: proves any backend, ours or a stranger's, by numbered rules.

An author writes a ``Bench`` and gives it to ``karbor_backup_core.contract.testing``; see
``docs/contract.md``. Each name is loaded when it is first asked for, since pytest loads the plugin
that lives here into every run.
"""

from typing import TYPE_CHECKING, Final

from karbor_backup_core.lazy_names import lazy_names

if TYPE_CHECKING:
    from karbor_backup_core.contract.bench import Bench, Fault, Holdings, Resources
    from karbor_backup_core.contract.broken import Broken
    from karbor_backup_core.contract.registry import Rule, all_rules
    from karbor_backup_core.contract.report import Report, examine
    from karbor_backup_core.contract.verdict import Status, Verdict, judge

_MODULES: Final = {
    "Bench": "bench",
    "Broken": "broken",
    "Fault": "bench",
    "Holdings": "bench",
    "Report": "report",
    "Resources": "bench",
    "Rule": "registry",
    "Status": "verdict",
    "Verdict": "verdict",
    "all_rules": "registry",
    "examine": "report",
    "judge": "verdict",
}
"""In which module each public name is."""

__all__ = [
    "Bench",
    "Broken",
    "Fault",
    "Holdings",
    "Report",
    "Resources",
    "Rule",
    "Status",
    "Verdict",
    "all_rules",
    "examine",
    "judge",
]

__getattr__ = lazy_names(__name__, _MODULES)
