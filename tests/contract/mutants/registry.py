"""Deliberately broken backends, and the rules that they break."""

import importlib
import pkgutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs

from karbor_backup_contract import Harness, Rule, all_rules
from karbor_backup_fake.harness import create_harness

CreateHarness = Callable[[Any], Harness]
T = TypeVar("T", bound=type)

_mutants: Final[dict[str, "Mutant"]] = {}
"""By name: a module may be imported again, since pytest's pytester forgets what it imported."""


@attrs.frozen
class Mutant:
    """A backend with one fault.

    Attributes:
        make: makes it from a configuration and a cloud.
        breaks: the rule that the fault is about.
        also_breaks: other rules that cannot be kept with it.
        create_harness: returns a harness on a new service, for what makes the backend.
        subject: the subject of the rules that are tried on it; empty for all rules.
    """

    make: Any
    breaks: str
    also_breaks: frozenset[str]
    create_harness: CreateHarness = create_harness
    subject: str = ""

    def rules(self) -> list[Rule]:
        """Return the rules that are tried on it."""
        return [rule for rule in all_rules() if self.subject in ("", rule.subject)]

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.make.__name__)

    @property
    def fault(self) -> str:
        """What is wrong with it, in one line."""
        return (self.make.__doc__ or "").strip().splitlines()[0]


def breaks(
    rule: str,
    also: Collection[str] = (),
    harness: CreateHarness = create_harness,
    subject: str = "",
) -> Callable[[T], T]:
    """Enter a backend class as one that breaks a rule, and inevitably others; see ``Mutant``."""

    def enter(cls: T) -> T:
        _mutants[cls.__name__] = Mutant(cls, rule, frozenset(also), harness, subject)
        return cls

    return enter


def all_mutants() -> list[Mutant]:
    """Return all mutants, by the rule that they break."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)], "tests.contract.mutants."):
        importlib.import_module(module.name)
    return sorted(_mutants.values(), key=lambda mutant: (mutant.breaks, mutant.name))
