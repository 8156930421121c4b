"""What is protected by schedules, as the backends know it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs

from karbor_backup_cli import add_default_names, resolve_type
from karbor_backup_core import (
    Backend,
    BackendError,
    InvalidInput,
    Json,
    KarborBackupError,
    Operation,
    Resource,
    Verb,
    plan_protect,
    system_clock,
)
from karbor_backup_core.configuration import Configuration
from karbor_backup_core.configured_backends import ConfiguredBackends
from karbor_backup_scale.schedules.section import Schedule, ScheduledResource, load_schedules
from karbor_backup_scale.schedules.ticks import (
    last_tick,
    next_tick,
    scheduled_operation_id,
    start_delay,
)


@attrs.frozen
class ScheduledProtect:
    """One resource of a schedule, as its backend knows it.

    Attributes:
        schedule: when.
        backend: with what.
        resource: of what; its type as the backend writes it.
        options: how.
        deadline: the time of each operation.
    """

    schedule: Schedule
    backend: Backend
    resource: Resource
    options: Json
    deadline: timedelta

    def operation_id(self, tick: datetime) -> str:
        """Return the id of the operation of a tick."""
        return scheduled_operation_id(self.schedule, self.resource, tick)

    def last_tick(self, now: datetime) -> datetime:
        """Return the newest tick whose operation may have begun."""
        return last_tick(self.schedule.cron, self.schedule.timezone, now - self._delay)

    def next_start(self, now: datetime) -> datetime:
        """Return when the next operation begins."""
        later = next_tick(self.schedule.cron, self.schedule.timezone, now - self._delay)
        return later + self._delay

    def due_tick(self, now: datetime) -> datetime | None:
        """Return the tick whose operation is to be begun now, if it is not yet; None for none.

        Of several that were missed it is the newest one.
        """
        tick = self.last_tick(now)
        return tick if now - self._delay - tick <= self.schedule.start_within else None

    def plan(self, tick: datetime, now: datetime) -> Operation:
        """Plan the operation of a tick.

        Raises:
            KarborBackupError: as ``plan_protect``.
        """
        schema = self.backend.ability(self.resource.type, Verb.PROTECT).schema
        named = add_default_names(self.options, schema, self.resource, Verb.PROTECT, tick)
        planned = plan_protect(self.backend, self.resource, named, deadline=self.deadline, now=now)
        return attrs.evolve(planned, id=self.operation_id(tick))

    @property
    def _delay(self) -> timedelta:
        return start_delay(self.schedule, self.resource)


def resolve_schedules(
    configuration: Configuration, backends: ConfiguredBackends
) -> Sequence[ScheduledProtect]:
    """Return what the schedules of a configuration protect, after a plan of each operation.

    Raises:
        InvalidInput: a backend refuses one of them; the text says which and why.
        KarborBackupError: a schedule or a backend's configuration does not fit.
    """
    found = []
    for schedule in load_schedules(configuration).values():
        backend = backends.select(schedule.backend or None)
        deadline = schedule.deadline or configuration.policy.deadline
        found += [_resolve(schedule, backend, each, deadline) for each in schedule.resources]
    return found


def _resolve(
    schedule: Schedule, backend: Backend, scheduled: ScheduledResource, deadline: timedelta
) -> ScheduledProtect:
    try:
        kind = resolve_type(backend, scheduled.resource.type)
        resource = attrs.evolve(scheduled.resource, type=kind)
        resolved = ScheduledProtect(schedule, backend, resource, scheduled.options, deadline)
        now = system_clock()
        planned = resolved.plan(now, now)
    except BackendError:
        return resolved  # Its service cannot be asked now; what can be refused was not.
    except KarborBackupError as error:
        raise InvalidInput(
            f"schedule {schedule.name}: {scheduled.resource.type} {scheduled.resource.id}: {error}"
        ) from None
    if planned.finished:
        raise InvalidInput(
            f"schedule {schedule.name}: nothing would be stored for {scheduled.resource.type} "
            f"{scheduled.resource.id}: it is covered by another resource, which to schedule instead"
        )
    return resolved
