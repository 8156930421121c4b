"""How patient the core is: every duration that the life of an operation depends on."""

from datetime import timedelta
from typing import Any, Final

import attrs

LONGEST_DURATION: Final = timedelta(days=3650)
"""No time for an operation is longer: what is counted from now on stays a date."""

_LONGEST_WAIT: Final = timedelta(days=30)
"""No wait in an operation is longer: timers hold it."""

_SHORTEST_LEASE: Final = timedelta(milliseconds=10)
"""A shorter one ends before the store has answered, whatever the store is."""

_LARGEST_NUMBER: Final = 1_000_000

_LONG_TERM_FIELDS: Final = ("deadline", "grace", "release")
"""The durations that are times for an operation; the others are waits in it."""


def _validate_duration(
    _: object, attribute: "attrs.Attribute[timedelta]", value: timedelta
) -> None:
    if not isinstance(value, timedelta):
        raise TypeError(f"policy {attribute.name}: {value!r} is no datetime.timedelta")
    if value <= timedelta():
        raise ValueError(f"policy {attribute.name}: {value} is not longer than nothing")
    longest = LONGEST_DURATION if attribute.name in _LONG_TERM_FIELDS else _LONGEST_WAIT
    if value > longest:
        raise ValueError(f"policy {attribute.name}: {value} is longer than {longest.days} days")


def _validate_number(_: object, attribute: "attrs.Attribute[Any]", value: float) -> None:
    allowed = int if attribute.type is int else (int, float)
    if not isinstance(value, allowed) or isinstance(value, bool):
        raise TypeError(f"policy {attribute.name}: {value!r} is no number, or not a whole one")
    # Not "value > _LARGEST_NUMBER": that would let a NaN pass.
    if not 0 < value <= _LARGEST_NUMBER:
        raise ValueError(
            f"policy {attribute.name}: {value} is not more than 0 and at most {_LARGEST_NUMBER}"
        )


_VALIDATORS: Final[dict[Any, Any]] = {
    timedelta: _validate_duration,
    float: _validate_number,
    int: _validate_number,
}


def _add_validators(_: type, fields: "list[attrs.Attribute[Any]]") -> Any:
    """Return the fields of a class, each with the validator of its type."""
    return [field.evolve(validator=_VALIDATORS[field.type]) for field in fields]


@attrs.frozen(kw_only=True, field_transformer=_add_validators)
class Policy:
    """Durations and limits; the defaults suit a service whose work takes minutes to hours.

    Attributes:
        deadline: time for an operation, from its plan to the end of its work outside.
        grace: how long after the deadline a cancelled operation is still waited for.
        release: how long a release may take before the runner lets go of it.
        poll_first: the shortest time between two polls.
        poll_limit: the longest time between two polls.
        poll_share: the time between two polls as a share of how long the work usually takes, or,
            as long as none of its kind has ended, of how long it has gone on.
        poll_ends: how many operations may end between two polls that could come further apart.
        poll_load: the part of the time that polls may take.
        retry_first: the longest wait before the first repeat of a call; it doubles with each
            repeat. Each wait is random, and at least half of the longest.
        retry_limit: the longest wait before a repeat.
        retry_after_limit: the longest wait before a repeat that a service may ask for; deadline,
            grace, the end of the release and a cancel come before it all the same.
        refusal_first: the longest wait before the next poll when a service has refused one for
            good; it doubles with each refusal, since refused credentials can lock an account. Each
            wait is random, and at least half of the longest.
        refusal_limit: the longest wait between two polls that are refused for good.
        attempts: how often a call that begins work is made before the operation fails.
        unknown_gap: how far apart two answers "unknown" must be to be believed.
        lease: how long a process may be silent before another one takes its operations over.

    Raises:
        TypeError: a duration is no ``timedelta``, or a number is none.
        ValueError: a duration is not positive, or is longer than ten years (a wait: than thirty
            days); a number is not between 0 and a million; or ``poll_first`` is longer than
            ``poll_limit``.
    """

    deadline: timedelta = timedelta(hours=24)
    grace: timedelta = timedelta(minutes=5)
    release: timedelta = timedelta(hours=1)
    poll_first: timedelta = timedelta(seconds=1)
    poll_limit: timedelta = timedelta(seconds=30)
    poll_share: float = 0.1
    poll_ends: int = 10
    poll_load: float = 0.25
    retry_first: timedelta = timedelta(seconds=1)
    retry_limit: timedelta = timedelta(seconds=60)
    retry_after_limit: timedelta = timedelta(hours=1)
    refusal_first: timedelta = timedelta(seconds=60)
    refusal_limit: timedelta = timedelta(minutes=15)
    attempts: int = 10
    unknown_gap: timedelta = timedelta(seconds=5)
    lease: timedelta = timedelta(seconds=30)

    def __attrs_post_init__(self) -> None:
        if self.poll_first > self.poll_limit:
            raise ValueError(
                f"policy poll_first: {self.poll_first} is longer than poll_limit {self.poll_limit}"
            )
        if self.lease < _SHORTEST_LEASE:
            raise ValueError(
                f"policy lease: {self.lease.total_seconds()} s are less than "
                f"{_SHORTEST_LEASE.total_seconds()} s, and would be over before they are stored"
            )
