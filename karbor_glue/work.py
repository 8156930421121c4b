"""One resource's part of what Karbor does with a checkpoint: done once, whoever needs it first.

A resource and what it belongs to may be in one checkpoint: a project and its servers. Karbor
gives each of them a hook of its own, and all run at the same time. So each asks first what becomes
of those that it belongs to; a backup in which it is a member already is its backup too.
"""

import functools
import threading
import weakref
from collections.abc import Callable, Collection, Mapping
from typing import Any

import attrs

from karbor_backup_core import (
    Ability,
    Backup,
    Conflict,
    KarborBackupError,
    Operation,
    Outcome,
    Resource,
    Result,
    Support,
    Unsupported,
    Verb,
    plan,
    system_clock,
)
from karbor_glue import rooms, schemas
from karbor_glue.credentials import Credentials
from karbor_glue.directories import PATH_OPTIONS, check_directory, names_path
from karbor_glue.failures import NotDone, not_done
from karbor_glue.leases import presence
from karbor_glue.places import Place
from karbor_glue.rooms import Room
from karbor_glue.settings import Settings


@attrs.frozen
class Settled:
    """What became of a resource.

    Attributes:
        backup: its backup, as the whole that others may be members of; None where there is none.
        restored: what a restore made of it and of its members: new ids by old ones, as far as the
            backend tells.
        unverified: what could not be verified of it, in one line.
    """

    backup: Backup | None = None
    restored: Mapping[str, str] = attrs.field(factory=dict)
    unverified: str = ""


@attrs.define(eq=False)
class Work:
    """What is to be done with one resource.

    Attributes:
        verb: what to do.
        resource: the resource as the backend knows it.
        place: where the bank keeps what is known of it.
        parameters: as the user gave them.
        read: reads the provider's settings, as soon as they are needed.
        credentials: with whose credentials.
        parents: the work on what it belongs to, the nearest first.
        within: the types of the resources that belong to it in the checkpoint.
        notes: what to keep beside the operation.
    """

    verb: Verb
    resource: Resource
    place: Place
    parameters: Mapping[str, Any]
    read: Callable[[], Settings]
    credentials: Credentials
    parents: tuple["Work", ...] = ()
    within: Collection[str] = ()
    notes: Mapping[str, Any] = attrs.field(factory=dict)
    _begun: str = attrs.field(default="", init=False)
    _result: Settled | Exception | None = attrs.field(default=None, init=False)
    _lock: Any = attrs.field(factory=threading.Lock, init=False)

    def check(self) -> None:
        """Refuse at once what the backend does not do. The service is not asked.

        Raises:
            KarborBackupError: with the reason.
        """
        if self.verb is Verb.DELETE and self._holds_nothing():
            return
        ability = self._ability()
        presence.show(self.place.bank, self.settings.policy.lease)
        if self.verb in (Verb.PROTECT, Verb.RESTORE):
            self._check_directories()
        if ability.support is Support.SUPPORTED:
            self.settings.described().check_options(self.resource.type, self.verb, self._options())

    @functools.cached_property
    def settings(self) -> Settings:
        """The provider's settings.

        Raises:
            InvalidInput: they cannot be read.
        """
        return self.read()

    def settle(self) -> Settled:
        """Do it, or wait for whoever does it already.

        Raises:
            KarborBackupError: it was refused, or did not succeed.
        """
        with self._lock:
            if self._result is None:
                try:
                    self._result = self._do()
                except Exception as error:  # noqa: BLE001 - all who wait are told the same
                    self._result = error
        if isinstance(self._result, Exception):
            raise self._result
        return self._result

    def whole(self) -> Settled:
        """Answer what became of a resource that others may belong to, once this work is done.

        Raises:
            NotDone: it was refused, or did not succeed.
        """
        try:
            return self.settle()
        except KarborBackupError as error:
            raise NotDone(
                f"it belongs to {self.resource.type} {self.resource.id}, whose {self.verb} did "
                f"not succeed: {error}"
            ) from error

    def _do(self) -> Settled:
        if self.verb is Verb.DELETE:
            return self._delete()
        ability = self._ability()
        if ability.support is Support.COVERED:
            if self.verb is Verb.PROTECT:
                self.place.keep_covered(ability.covered_by)
            return Settled()
        return self._protect() if self.verb is Verb.PROTECT else self._use()

    def _holds_nothing(self) -> bool:
        """Return whether nothing has been stored, nor begun, that a delete would remove."""
        return self.place.metadata() is None and not self.place.operations()

    def _check_directories(self) -> None:
        allowed = self.settings.directories
        if names_path(self.resource):
            check_directory(self.resource.id, allowed)
        options = self._options()
        for path in (options[name] for name in PATH_OPTIONS if name in options):
            check_directory(str(path), allowed)

    def _protect(self) -> Settled:
        for parent in self.parents:
            whole = parent.whole()
            member = whole.backup and member_of(whole.backup, self.resource)
            if member:
                self.place.keep_backup(member)
                return whole
        return self._run(self.resource)

    def _use(self) -> Settled:
        """Restore or verify; a member goes with the whole, where that is done here too."""
        backup = self.place.backup()
        if backup is None:
            if self.place.metadata() is not None:
                return Settled()
            raise NotDone(f"checkpoint {self.place.checkpoint} holds no backup of it")
        for parent in self.parents if backup.id != backup.whole_id else ():
            whole = parent.whole()
            if whole.backup is not None and whole.backup.id == backup.whole_id:
                return whole
        return self._run(backup)

    def _delete(self) -> Settled:
        """Remove the backup and whatever was left half done; nothing to remove is no error."""
        if self.place.operations():
            self._finish_all()
        self.place.forget_fragments()
        backup = self.place.backup()
        if backup is not None and backup.id == backup.whole_id:
            return self._run(backup)
        for parent in self.parents if backup is not None else ():
            parent.whole()
        self.place.forget_backup()
        return Settled()

    def _finish_all(self) -> None:
        """Go on with what was left, so that nothing of it is still under way.

        Raises:
            NotDone: something is.
            Conflict: another process is at it.
        """
        with rooms.room(self.settings, self.credentials, self.place.bank) as room:
            for kept in room.store.adopt(self.place):
                operation = self._finish(room, kept.operation.id)
                if operation.parked:
                    raise not_done(operation)

    def _run(self, target: Resource | Backup) -> Settled:
        """Have the runner do it; a second call goes on with what the first one began."""
        with rooms.room(self.settings, self.credentials, self.place.bank) as room:
            if self._begun:
                room.store.adopt(self.place)
            else:
                self._begun = self._begin(room, target)
            operation = self._finish(room, self._begun)
        outcome = operation.outcome
        if outcome is None or outcome.result is not Result.SUCCEEDED:
            raise not_done(operation)
        return Settled(
            outcome.backup or operation.backup, _restored(operation, outcome), unverified(outcome)
        )

    def _begin(self, room: Room, target: Resource | Backup) -> str:
        """Write the operation to the bank, before the service hears of it."""
        policy = self.settings.policy
        planned = plan(
            room.backend,
            self.verb,
            target,
            self._options(),
            now=system_clock(),
            deadline=policy.deadline,
        )
        notes = {**self.notes, **room.credentials.notes()}
        room.store.admit(planned.id, self.place, notes)
        room.store.add(planned)
        return planned.id

    def _finish(self, room: Room, operation_id: str) -> Operation:
        """Go on with an operation until it is over."""
        try:
            room.runner.resume(operation_id)
        except Conflict:
            room.store.leave(operation_id)
            raise
        operation = room.runner.wait(operation_id)
        if operation.parked:
            # The bank keeps it, so that a later delete or recovery carries its release out.
            room.store.leave(operation_id, unfinished=True)
        elif operation.finished:
            room.store.forget(operation_id)
        return operation

    def _ability(self) -> Ability:
        ability = self.settings.described().ability(self.resource.type, self.verb)
        if ability.support is Support.UNSUPPORTED:
            raise Unsupported(
                f"backend {self.settings.backend} cannot {self.verb} {self.resource.type}: "
                f"{ability.reason or 'it does not declare it'}"
            )
        return ability

    def _options(self) -> dict[str, Any]:
        if self.verb is Verb.DELETE:
            return {}
        name = f"{self.place.checkpoint}@{self.place.resource_id}"
        return schemas.with_defaults(self._ability().schema, self.parameters, name, self.within)


class Flows:
    """The work of the flows that are under way, so that a child finds that of its parents.

    A flow is known by the checkpoint object that all its hooks are given. Work is forgotten with
    the hooks' own object, which holds it.
    """

    def __init__(self) -> None:
        self._known: weakref.WeakValueDictionary[tuple[int, str], Work] = (
            weakref.WeakValueDictionary()
        )

    def remember(self, checkpoint: Any, work: Work) -> None:
        """Let the children of this resource find the work on it."""
        self._known[id(checkpoint), work.place.resource_id] = work

    def find(self, checkpoint: Any, resource_id: str) -> Work | None:
        """Answer the work on a resource of the same flow; None if it is another plugin's."""
        return self._known.get((id(checkpoint), resource_id))


def _restored(operation: Operation, outcome: Outcome) -> Mapping[str, str]:
    """Answer the new ids by the old ones: of the members, and of the resource itself."""
    new = {each.resource.id: each.restored.id for each in outcome.parts if each.restored}
    if outcome.resources:
        new[operation.resource.id] = outcome.resources[0].id
    return new


def unverified(outcome: Outcome) -> str:
    """Return what an operation that succeeded could not verify, in one line."""
    missing = (each for each in outcome.checks if not each.verified)
    return "; ".join(f"not verified: {each.name}: {each.reason}" for each in missing)


def member_of(whole: Backup, resource: Resource) -> Backup | None:
    """Answer the backup of a resource that is a member of another one's; None if it is not."""
    wanted = (resource.type, resource.id)
    return next((m for m in whole.members if (m.resource.type, m.resource.id) == wanted), None)
