"""The section ``[schedules]`` of the configuration: what is protected again and again, and when."""

import collections
import functools
import zoneinfo
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import attrs

from karbor_backup_core import InvalidDocument, Json, Resource
from karbor_backup_core.configuration import Configuration
from karbor_backup_core.durations import parse_duration

SECTION: Final = "schedules"

_DURATION: Final[Json] = {"type": ["number", "string"], "description": "seconds, or text like 5m"}
_DURATION_KEYS: Final = ("deadline", "jitter", "start_within")

SCHEMA: Final[Json] = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {
            "cron": {"type": "string"},
            "timezone": {"type": "string", "minLength": 1},
            "backend": {"type": "string", "minLength": 1},
            **dict.fromkeys(_DURATION_KEYS, _DURATION),
            "resources": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {
                        "type": {"type": "string", "minLength": 1},
                        "id": {"type": "string", "minLength": 1},
                        "name": {"type": "string"},
                        "options": {"type": "object"},
                    },
                    "required": ["type", "id"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["cron", "resources"],
        "additionalProperties": False,
    },
}
"""What may stand in the section; ``docs/how-to/schedule-backups.md`` describes it."""


@attrs.frozen
class ScheduledResource:
    """One resource of a schedule.

    Attributes:
        resource: the resource; its type as a person has written it.
        options: the options of its protect, by the backend's schema.
    """

    resource: Resource
    options: Json = attrs.field(factory=dict, repr=False)


@attrs.frozen
class Schedule:
    """What is protected at which times.

    Attributes:
        name: its name in the configuration.
        cron: minute, hour, day of the month, month and day of the week, as in crontab(5).
        resources: each is protected by an operation of its own.
        timezone: the time zone in which ``cron`` is meant.
        backend: the configured name of the backend; empty for the default one.
        deadline: the time of each operation; None for the policy's.
        jitter: each resource is begun with a delay of its own after each tick, which is random,
            at most this, and does not change.
        start_within: a tick that could not be begun within this time is skipped.
    """

    name: str
    cron: str
    resources: Sequence[ScheduledResource]
    timezone: zoneinfo.ZoneInfo
    backend: str = ""
    deadline: timedelta | None = None
    jitter: timedelta = timedelta(0)
    start_within: timedelta = timedelta(hours=1)


def load_schedules(configuration: Configuration) -> Mapping[str, Schedule]:
    """Return the schedules of a configuration by their names.

    Raises:
        InvalidDocument: one does not fit; all faults are named.
    """
    sections = configuration.sections.get(SECTION, {})
    faults = [
        fault
        for name, section in sections.items()
        for fault in _find_errors(name, section, configuration.backends)
    ]
    if faults:
        raise InvalidDocument(f"configuration {configuration.path}", faults)
    return {name: _parse_schedule(name, section) for name, section in sections.items()}


def _find_errors(
    name: str, section: Mapping[str, Any], backends: Collection[str] | None
) -> list[str]:
    # Only here: the schema above is read also where the extra's libraries are not installed.
    from karbor_backup_scale.schedules.ticks import check_cron

    checks: Mapping[str, Callable[[], object]] = {
        "cron": lambda: check_cron(section["cron"]),
        "timezone": lambda: _time_zone(section),
        **{key: functools.partial(_parse_duration, key, section) for key in _DURATION_KEYS},
    }
    faults = []
    for key, check in checks.items():
        try:
            check()
        except ValueError as error:
            faults.append(f"{key}: {error}")
    backend = section.get("backend", "")
    if backends is not None and backend not in ("", *backends):
        faults.append(f"backend: there is no section [backends.{backend}]")
    faults += _find_resource_errors(section["resources"])
    return [f"$.{SECTION}.{name}.{fault}" for fault in faults]


def _find_resource_errors(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    counted = collections.Counter(f"{entry['type']} {entry['id']}" for entry in entries)
    return [f"resources: {each} is named twice" for each, times in counted.items() if times > 1]


def _parse_schedule(name: str, section: Mapping[str, Any]) -> Schedule:
    durations = {key: _parse_duration(key, section) for key in _DURATION_KEYS if key in section}
    return Schedule(
        name=name,
        cron=section["cron"].strip(),
        resources=tuple(
            ScheduledResource(_resource(entry), entry.get("options", {}))
            for entry in section["resources"]
        ),
        timezone=_time_zone(section),
        backend=section.get("backend", ""),
        **durations,
    )


def _resource(entry: Mapping[str, Any]) -> Resource:
    return Resource(entry["type"], entry["id"], entry.get("name", ""))


def _parse_duration(key: str, section: Mapping[str, Any]) -> Any:
    return parse_duration(str(section[key])) if key in section else None


def _time_zone(section: Mapping[str, Any]) -> zoneinfo.ZoneInfo:
    name = section.get("timezone", "UTC")
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"{name!r} is no time zone that this machine knows: name one like Europe/Berlin, or "
            "install tzdata"
        ) from None
