"""The section ``[schedules]`` of the configuration: what is done again and again, and when."""

import collections
import functools
import zoneinfo
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import attrs

from karbor_backup_core import InvalidDocument, Json, Resource, Verb
from karbor_backup_core.configuration import Configuration
from karbor_backup_core.durations import parse_duration

SECTION: Final = "schedules"

_DURATION: Final[Json] = {"type": ["number", "string"], "description": "seconds, or text like 5m"}
_DURATION_KEYS: Final = ("deadline", "jitter", "start_within")
_VERBS: Final = (Verb.PROTECT, Verb.VERIFY, Verb.MAINTAIN)
_RESOURCES: Final = "resources"
_ACTIONS: Final = "actions"

SCHEMA: Final[Json] = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "properties": {
            "cron": {"type": "string"},
            "timezone": {"type": "string", "minLength": 1},
            "backend": {"type": "string", "minLength": 1},
            **dict.fromkeys(_DURATION_KEYS, _DURATION),
            "verb": {"type": "string", "enum": [str(each) for each in _VERBS]},
            _RESOURCES: {
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
            _ACTIONS: {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "properties": {
                        "action": {"type": "string", "minLength": 1},
                        "options": {"type": "object"},
                    },
                    "required": ["action"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["cron"],
        "additionalProperties": False,
    },
}
"""What may stand in the section; ``docs/how-to/schedule-backups.md`` describes it."""


@attrs.frozen
class ScheduledTarget:
    """What one operation of each tick works on.

    Attributes:
        resource: the resource; its type as a person has written it. Of maintenance its type is
            the action, and its id is empty.
        options: the options of the operation, by the backend's schema.
    """

    resource: Resource
    options: Json = attrs.field(factory=dict, repr=False)


@attrs.frozen
class Schedule:
    """What is done at which times.

    Attributes:
        name: its name in the configuration.
        cron: minute, hour, day of the month, month and day of the week, as in crontab(5).
        targets: each has an operation of its own.
        timezone: the time zone in which ``cron`` is meant.
        verb: protect; or verify, of the newest backup of each resource; or maintain.
        backend: the configured name of the backend; empty for the default one.
        deadline: the time of each operation; None for the policy's.
        jitter: each target is begun with a delay of its own after each tick, which is random,
            at most this, and does not change.
        start_within: a tick that could not be begun within this time is skipped.
    """

    name: str
    cron: str
    targets: Sequence[ScheduledTarget]
    timezone: zoneinfo.ZoneInfo
    verb: Verb = Verb.PROTECT
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
    faults += _find_target_errors(section)
    return [f"$.{SECTION}.{name}.{fault}" for fault in faults]


def _find_target_errors(section: Mapping[str, Any]) -> list[str]:
    verb = _verb(section)
    wanted, other = (_ACTIONS, _RESOURCES) if verb is Verb.MAINTAIN else (_RESOURCES, _ACTIONS)
    faults = [f"{other}: a schedule that is to {verb} has none"] if other in section else []
    if wanted not in section:
        return [*faults, f"{wanted}: missing: name what to {verb}"]
    counted = collections.Counter(
        entry["action"] if verb is Verb.MAINTAIN else f"{entry['type']} {entry['id']}"
        for entry in section[wanted]
    )
    twice = [each for each, times in counted.items() if times > 1]
    return [*faults, *(f"{wanted}: {each} is named twice" for each in twice)]


def _parse_schedule(name: str, section: Mapping[str, Any]) -> Schedule:
    durations = {key: _parse_duration(key, section) for key in _DURATION_KEYS if key in section}
    return Schedule(
        name=name,
        cron=section["cron"].strip(),
        targets=tuple(
            ScheduledTarget(_resource(entry), entry.get("options", {}))
            for entry in section.get(_RESOURCES) or section[_ACTIONS]
        ),
        timezone=_time_zone(section),
        verb=_verb(section),
        backend=section.get("backend", ""),
        **durations,
    )


def _verb(section: Mapping[str, Any]) -> Verb:
    return Verb(section.get("verb", Verb.PROTECT))


def _resource(entry: Mapping[str, Any]) -> Resource:
    if "action" in entry:
        return Resource(entry["action"], "")
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
