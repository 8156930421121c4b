"""How patient the core is: every duration that the life of an operation depends on."""

from datetime import timedelta

import attrs


def _positive(_: object, attribute: "attrs.Attribute[timedelta]", value: timedelta) -> None:
    if value <= timedelta():
        raise ValueError(f"policy {attribute.name}: {value} is not longer than nothing")


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
        retry_first: the wait before the first repeat of a call; it doubles with each repeat.
        retry_limit: the longest wait before a repeat.
        retry_after_limit: the longest wait before a repeat that a service may ask for; deadline,
            grace, the end of the release and a cancel come before it all the same.
        refusal_first: the wait before the next poll when a service has refused one for good; it
            doubles with each refusal, since refused credentials can lock an account.
        refusal_limit: the longest wait between two polls that are refused for good.
        attempts: how often a call that begins work is made before the operation fails.
        unknown_gap: how far apart two answers "unknown" must be to be believed.
        lease: how long a process may be silent before another one takes its operations over.
    """

    deadline: timedelta = attrs.field(default=timedelta(hours=24), validator=_positive)
    grace: timedelta = attrs.field(default=timedelta(minutes=5), validator=_positive)
    release: timedelta = attrs.field(default=timedelta(hours=1), validator=_positive)
    poll_first: timedelta = attrs.field(default=timedelta(seconds=1), validator=_positive)
    poll_limit: timedelta = attrs.field(default=timedelta(seconds=30), validator=_positive)
    poll_share: float = attrs.field(default=0.1, validator=attrs.validators.gt(0))
    poll_ends: int = attrs.field(default=10, validator=attrs.validators.ge(1))
    poll_load: float = attrs.field(default=0.25, validator=attrs.validators.gt(0))
    retry_first: timedelta = attrs.field(default=timedelta(seconds=1), validator=_positive)
    retry_limit: timedelta = attrs.field(default=timedelta(seconds=60), validator=_positive)
    retry_after_limit: timedelta = attrs.field(default=timedelta(hours=1), validator=_positive)
    refusal_first: timedelta = attrs.field(default=timedelta(seconds=60), validator=_positive)
    refusal_limit: timedelta = attrs.field(default=timedelta(minutes=15), validator=_positive)
    attempts: int = attrs.field(default=10, validator=attrs.validators.ge(1))
    unknown_gap: timedelta = attrs.field(default=timedelta(seconds=5), validator=_positive)
    lease: timedelta = attrs.field(default=timedelta(seconds=30), validator=_positive)

    def __attrs_post_init__(self) -> None:
        if self.poll_first > self.poll_limit:
            raise ValueError(
                f"policy poll_first: {self.poll_first} is longer than poll_limit {self.poll_limit}"
            )
