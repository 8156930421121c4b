"""Operations of the Cinder backend on one resource of a scripted cloud."""

from typing import Any

import attrs

from karbor_backup_cinder.volumes import RESTORING
from karbor_backup_contract._context import RuleContext
from karbor_backup_core import Backup, Operation, Progress, Resource, Verb
from tests.support.outcomes import get_backup, get_outcome
from tests.support.scripted_cloud import CloudState


@attrs.frozen
class OperationTest:
    """A resource in a scripted cloud, and what is done with it.

    Attributes:
        context: runs operations.
        state: the cloud.
        resource: the resource.
        project: the id of its project.
    """

    context: RuleContext
    state: CloudState
    resource: Resource
    project: str

    def run(self, verb: Verb, target: Resource | Backup, **options: Any) -> Operation:
        return self.context.finish(self.context.plan(verb, target, options))

    def protect(self, **options: Any) -> Backup:
        return get_backup(self.run(Verb.PROTECT, self.resource, **options))

    def repeat_lost_restore(self, backup: Backup) -> Progress:
        """Return the answer to the call that begins a restore, when its first answer was lost."""
        before = operation = self.context.plan(Verb.RESTORE, backup)
        while not self._is_restoring():
            before, operation = operation, self.context.advance(operation)
        progress: Progress = self.context.harness.create_backend().restore(before)
        return progress

    def _is_restoring(self) -> bool:
        with self.state.lock:
            return any(each.shown["status"] == RESTORING for each in self.state.volumes)


def refusal(operation: Operation) -> str:
    """Return why an operation was refused, before anything was begun."""
    outcome = get_outcome(operation)
    assert outcome.refused, outcome
    return outcome.reason
