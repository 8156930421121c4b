"""The contract suite: proves any backend, ours or a stranger's, by numbered rules.

An author writes a ``Bench`` and gives it to ``karbor_backup_core.contract.testing``; see
``docs/contract.md``.
"""

from karbor_backup_core.contract.bench import Bench, Fault, Holdings, Resources
from karbor_backup_core.contract.broken import Broken
from karbor_backup_core.contract.registry import Rule, all_rules
from karbor_backup_core.contract.report import Report, examine
from karbor_backup_core.contract.verdict import Status, Verdict, judge

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
