"""What is done by schedules, as the backends know it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import attrs

from karbor_backup_cli import add_default_names, resolve_type
from karbor_backup_core import (
    Backend,
    BackendError,
    Backup,
    InvalidInput,
    Json,
    KarborBackupError,
    Operation,
    Resource,
    Store,
    Support,
    UnknownBackup,
    Verb,
    plan_maintenance,
    plan_protect,
    plan_verify,
    system_clock,
)
from karbor_backup_core.configuration import Configuration
from karbor_backup_core.configured_backends import ConfiguredBackends
from karbor_backup_scale.schedules.section import Schedule, ScheduledTarget, load_schedules
from karbor_backup_scale.schedules.ticks import (
    last_tick,
    next_tick,
    scheduled_operation_id,
    start_delay,
)


@attrs.frozen
class ScheduledOperation:
    """What a schedule does with one target, as its backend knows it.

    Attributes:
        schedule: when, and what.
        backend: with what.
        resource: of what; its type as the backend writes it. Of maintenance its type is the
            action, and its id is empty.
        options: how.
        deadline: the time of each operation.
    """

    schedule: Schedule
    backend: Backend
    resource: Resource
    options: Json
    deadline: timedelta

    @property
    def description(self) -> str:
        """The schedule and what it works on, for people: ``schedule nightly: volume 5aa1``."""
        target = f"{self.resource.type} {self.resource.id}".strip()
        return f"schedule {self.schedule.name}: {target}"

    def is_run_by(self, operation: Operation) -> bool:
        """Return whether an operation does the same with the same target."""
        ours, theirs = self.resource, operation.resource
        return (
            (operation.backend, operation.verb) == (self.backend.name, self.schedule.verb)
            and theirs.type == ours.type
            and (operation.verb is Verb.MAINTAIN or theirs.id == ours.id)
        )

    def operation_id(self, tick: datetime) -> str:
        """Return the id of the operation of a tick."""
        return scheduled_operation_id(self.schedule, self.resource, tick)

    def last_tick(self, now: datetime) -> datetime:
        """Return the newest tick whose operation may have begun."""
        return last_tick(self.schedule.cron, self.schedule.timezone, now - self._delay)

    def next_start(self, now: datetime) -> datetime:
        """Return when the next operation begins."""
        later = next_tick(self.schedule.cron, self.schedule.timezone, now - self._delay)
        return later.astimezone(UTC) + self._delay  # what the wall clock adds may be an hour off

    def due_tick(self, now: datetime) -> datetime | None:
        """Return the tick whose operation is to be begun now, if it is not yet; None for none.

        Of several that were missed it is the newest one.
        """
        tick = self.last_tick(now)
        return tick if now - self._delay - tick <= self.schedule.start_within else None

    def plan(self, tick: datetime, now: datetime, store: Store) -> Operation:
        """Plan the operation of a tick.

        Args:
            tick: the tick.
            now: the present instant.
            store: has the backups, of which the newest one is verified.

        Raises:
            UnknownBackup: there is nothing to verify yet.
            KarborBackupError: as ``plan_protect``, ``plan_verify`` and ``plan_maintenance``.
        """
        target = self._newest_backup(store) if self.schedule.verb is Verb.VERIFY else self.resource
        return attrs.evolve(self._plan(tick, now, target), id=self.operation_id(tick))

    def check(self) -> None:
        """Check that the backend would take the operations of this schedule.

        Raises:
            BackendError: its service cannot be asked now.
            KarborBackupError: it would not.
        """
        now = system_clock()
        kind, verb = self.resource.type, self.schedule.verb
        if self.backend.require_ability(kind, verb).support is Support.COVERED:
            raise InvalidInput("it is covered by another resource, which to schedule instead")
        if verb is Verb.VERIFY:
            self.backend.check_options(kind, verb, self._options(now))
        else:
            self._plan(now, now, self.resource)

    def _plan(self, tick: datetime, now: datetime, target: Resource | Backup) -> Operation:
        options, deadline = self._options(tick), self.deadline
        if isinstance(target, Backup):
            return plan_verify(self.backend, target, options, deadline=deadline, now=now)
        if self.schedule.verb is Verb.MAINTAIN:
            return plan_maintenance(self.backend, target.type, options, deadline=deadline, now=now)
        return plan_protect(self.backend, target, options, deadline=deadline, now=now)

    def _newest_backup(self, store: Store) -> Backup:
        scopes = {self.backend.scope(), *self.backend.same_as}
        wanted = (self.backend.info.name, self.resource.type, self.resource.id)
        for each in reversed(store.backups()):
            made_of = (each.backend, each.resource.type, each.resource.id)
            if made_of == wanted and each.scope in scopes:
                return each
        raise UnknownBackup("there is no backup to verify yet")

    def _options(self, tick: datetime) -> Json:
        verb = self.schedule.verb
        schema = self.backend.require_ability(self.resource.type, verb).schema
        return add_default_names(self.options, schema, self.resource, verb, tick)

    @property
    def _delay(self) -> timedelta:
        return start_delay(self.schedule, self.resource)


def resolve_schedules(
    configuration: Configuration, backends: ConfiguredBackends
) -> Sequence[ScheduledOperation]:
    """Return what the schedules of a configuration do, after a check of each.

    Raises:
        InvalidInput: a backend refuses one of them; the text says which and why.
        KarborBackupError: a schedule or a backend's configuration does not fit.
    """
    found = []
    for schedule in load_schedules(configuration).values():
        backend = backends.select(schedule.backend or None)
        deadline = schedule.deadline or configuration.policy.deadline
        found += [_resolve(schedule, backend, each, deadline) for each in schedule.targets]
    return found


def _resolve(
    schedule: Schedule, backend: Backend, target: ScheduledTarget, deadline: timedelta
) -> ScheduledOperation:
    scheduled = ScheduledOperation(schedule, backend, target.resource, target.options, deadline)
    as_written = scheduled.description
    try:
        if schedule.verb is not Verb.MAINTAIN:
            kind = resolve_type(backend, target.resource.type)
            scheduled = attrs.evolve(scheduled, resource=attrs.evolve(target.resource, type=kind))
        scheduled.check()
    except BackendError:
        return scheduled  # Its service cannot be asked now; what can be refused was not.
    except KarborBackupError as error:
        raise InvalidInput(f"{as_written}: {error}") from None
    return scheduled
