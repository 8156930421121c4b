"""The section ``[workers]`` of the configuration."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import attrs

from karbor_backup_core import InvalidInput, Json, Secret
from karbor_backup_core.configuration import Configuration
from karbor_backup_core.durations import parse_duration

SECTION: Final = "workers"

_DURATION: Final[Json] = {
    "type": ["number", "string"],
    "description": "seconds, or text like 5m",
}
SCHEMA: Final[Json] = {
    "type": "object",
    "properties": {
        "queue_url": {"type": "string", "minLength": 1, "writeOnly": True},
        "hold": {"type": "integer", "minimum": 1, "maximum": 100_000},
        "limits": {
            "type": "object",
            "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 100_000},
        },
        "heartbeat": _DURATION,
        "dead_after": _DURATION,
        "sweep": {"enum": [1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60]},
    },
    "additionalProperties": False,
}
"""What may stand in the section; ``docs/reference/workers.md`` describes it."""


@attrs.frozen(kw_only=True)
class WorkerSettings:
    """How workers share the operations.

    Attributes:
        queue_url: SQLAlchemy's URL of the queue's database; None for the store's.
        hold: how many operations one worker drives at most.
        limits: how many operations of a backend all workers together drive at most, by its name.
        heartbeat: the time between two signs of life of a worker.
        dead_after: how long a worker may be silent before its jobs are queued again.
        sweep: seconds between two sweeps; a divisor of 60.
    """

    queue_url: Secret | None = None
    hold: int = 200
    limits: Mapping[str, int] = attrs.field(factory=dict)
    heartbeat: timedelta = timedelta(seconds=10)
    dead_after: timedelta = timedelta(seconds=30)
    sweep: int = 10

    @classmethod
    def from_configuration(cls, configuration: Configuration) -> "WorkerSettings":
        """Read the section; its defaults where there is none.

        Raises:
            InvalidInput: a duration is none, or ``dead_after`` is too short.
        """
        section = dict(configuration.sections.get(SECTION, {}))
        for name in ("heartbeat", "dead_after"):
            if name in section:
                section[name] = _parse_duration(name, section[name])
        settings = cls(**section)
        if settings.dead_after < 2 * settings.heartbeat:
            raise InvalidInput(
                f"configuration: workers.dead_after: {settings.dead_after.total_seconds():g} s are "
                f"less than two heartbeats of {settings.heartbeat.total_seconds():g} s: living "
                "workers would count as dead"
            )
        return settings


def _parse_duration(name: str, value: Any) -> timedelta:
    try:
        duration = parse_duration(str(value))
    except ValueError as error:
        raise InvalidInput(f"configuration: workers.{name}: {error}") from None
    if duration <= timedelta():
        raise InvalidInput(f"configuration: workers.{name}: {value!r} must be positive")
    return duration
