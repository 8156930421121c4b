"""One measured number, what it was measured on, and what it should be at most."""

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

import attrs

OURS: Final = "karbor-backup"
"""The usual subject of a measurement that is not a peer's."""

Parameter: TypeAlias = str | int | float


@attrs.frozen
class Goal:
    """What a value should be at most.

    Attributes:
        at_most: in the measurement's unit, or times the peer's value.
        of: the subject whose value is meant, for the same thing and parameters in the same run;
            none for a goal that stands by itself.
    """

    at_most: float
    of: str | None = None

    def __str__(self) -> str:
        return f"≤ {self.at_most:g}" + (f" times {self.of}" if self.of else "")


@attrs.frozen(kw_only=True)
class Measurement:
    """A measured number.

    Attributes:
        what: what was measured; the same words for all subjects.
        subject: whose number it is.
        value: in the unit.
        unit: such as "s", "µs", "KiB" or "requests".
        parameters: what distinguishes this one from others of the same thing.
        goal: what it should be at most.
        note: what a reader has to know of this number.
    """

    what: str
    subject: str
    value: float
    unit: str
    parameters: Mapping[str, Parameter] = attrs.field(factory=dict)
    goal: Goal | None = None
    note: str = ""

    def is_comparable(self, other: "Measurement") -> bool:
        """Whether the other one is of the same thing, under the same parameters."""
        return (self.what, self.unit, self.parameters) == (
            other.what,
            other.unit,
            other.parameters,
        )

    def ratios(self, measured: Iterable["Measurement"]) -> dict[str, float]:
        """Return this value as a multiple of each other subject's, by subject."""
        return {
            other.subject: self.value / other.value
            for other in measured
            if self.is_comparable(other) and other.subject != self.subject and other.value
        }

    def meets_goal(self, measured: Iterable["Measurement"]) -> bool | None:
        """Return whether the goal is met, None without a goal or a measured peer."""
        if self.goal is None:
            return None
        if self.goal.of is None:
            return self.value <= self.goal.at_most
        ratio = self.ratios(measured).get(self.goal.of)
        return None if ratio is None else ratio <= self.goal.at_most
