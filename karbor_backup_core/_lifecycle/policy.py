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


def _validate_lease(_: object, attribute: "attrs.Attribute[timedelta]", value: timedelta) -> None:
    if value < _SHORTEST_LEASE:
        raise ValueError(
            f"policy {attribute.name}: {value.total_seconds()} s are less than "
            f"{_SHORTEST_LEASE.total_seconds()} s, and would be over before they are stored"
        )


def _validate_number(_: object, attribute: "attrs.Attribute[Any]", value: float) -> None:
    allowed = int if attribute.type is int else (int, float)
    if not isinstance(value, allowed) or isinstance(value, bool):
        raise TypeError(f"policy {attribute.name}: {value!r} is no number, or not a whole one")
    # Not "value > _LARGEST_NUMBER": that would let a NaN pass.
    if not 0 < value <= _LARGEST_NUMBER:
        raise ValueError(
            f"policy {attribute.name}: {value} is not more than 0 and at most {_LARGEST_NUMBER}"
        )


@attrs.frozen(kw_only=True)
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

    deadline: timedelta = attrs.field(default=timedelta(hours=24), validator=_validate_duration)
    grace: timedelta = attrs.field(default=timedelta(minutes=5), validator=_validate_duration)
    release: timedelta = attrs.field(default=timedelta(hours=1), validator=_validate_duration)
    poll_first: timedelta = attrs.field(default=timedelta(seconds=1), validator=_validate_duration)
    poll_limit: timedelta = attrs.field(default=timedelta(seconds=30), validator=_validate_duration)
    poll_share: float = attrs.field(default=0.1, validator=_validate_number)
    poll_ends: int = attrs.field(default=10, validator=[_validate_number, attrs.validators.ge(1)])
    poll_load: float = attrs.field(default=0.25, validator=_validate_number)
    retry_first: timedelta = attrs.field(default=timedelta(seconds=1), validator=_validate_duration)
    retry_limit: timedelta = attrs.field(
        default=timedelta(seconds=60), validator=_validate_duration
    )
    retry_after_limit: timedelta = attrs.field(
        default=timedelta(hours=1), validator=_validate_duration
    )
    refusal_first: timedelta = attrs.field(
        default=timedelta(seconds=60), validator=_validate_duration
    )
    refusal_limit: timedelta = attrs.field(
        default=timedelta(minutes=15), validator=_validate_duration
    )
    attempts: int = attrs.field(default=10, validator=[_validate_number, attrs.validators.ge(1)])
    unknown_gap: timedelta = attrs.field(default=timedelta(seconds=5), validator=_validate_duration)
    lease: timedelta = attrs.field(
        default=timedelta(seconds=30), validator=[_validate_duration, _validate_lease]
    )

    def __attrs_post_init__(self) -> None:
        if self.poll_first > self.poll_limit:
            raise ValueError(
                f"policy poll_first: {self.poll_first} is longer than poll_limit {self.poll_limit}"
            )
