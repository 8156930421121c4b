"""The ticks of a cron expression, and the ids of the operations that they begin."""

import hashlib
import uuid
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Final

from cronsim import CronSim, CronSimError

from karbor_backup_core import Resource

if TYPE_CHECKING:
    from karbor_backup_scale.schedules.section import Schedule

_NAMESPACE: Final = uuid.UUID("6a1d2f3e-3f55-4c0f-9d43-0c8d3a6f5b11")
_FIELDS: Final = 5
_ANY_TIME: Final = datetime(2000, 1, 1)  # noqa: DTZ001 - nothing depends on it


def check_cron(expression: str) -> None:
    """Let a cron expression pass.

    Raises:
        ValueError: it is none, has seconds, or names a day that no year has.
    """
    if len(expression.split()) != _FIELDS:
        raise ValueError(
            f"{expression!r} is no cron expression: write minute, hour, day of the month, month "
            "and day of the week, such as '30 2 * * *'"
        )
    try:
        CronSim(expression, _ANY_TIME)
    except CronSimError as error:
        raise ValueError(f"{expression!r} is no cron expression: {error}") from None


def last_tick(expression: str, zone: tzinfo, now: datetime) -> datetime:
    """Return the newest tick that is not after an instant."""
    # Iterating excludes the instant that it begins with. In UTC, since a second after the last one
    # of an hour that comes twice is not what the wall clock makes of it.
    begin = now.astimezone(UTC).replace(microsecond=0) + timedelta(seconds=1)
    return next(CronSim(expression, begin.astimezone(zone), reverse=True))


def next_tick(expression: str, zone: tzinfo, now: datetime) -> datetime:
    """Return the first tick after an instant."""
    return next(CronSim(expression, now.astimezone(zone)))


def scheduled_operation_id(schedule: "Schedule", resource: Resource, tick: datetime) -> str:
    """Return the id of the operation that a tick begins: the same in every process."""
    parts = (schedule.name, resource.type, resource.id, f"{tick.timestamp():.0f}")
    return str(uuid.uuid5(_NAMESPACE, "\0".join(parts)))


def start_delay(schedule: "Schedule", resource: Resource) -> timedelta:
    """Return how long after each tick a resource is begun: random, and always the same.

    As with systemd's ``FixedRandomDelay``, the time between two runs does not vary, and a delay
    that is longer than the time between two ticks skips none.
    """
    own = f"{schedule.name}\0{resource.type}\0{resource.id}"
    digest = hashlib.sha256(own.encode()).digest()[:4]
    return int.from_bytes(digest) / 2**32 * schedule.jitter
