"""Operations of the Cinder backend on one resource of a scripted cloud."""

from typing import Any

import attrs

from karbor_backup_contract._context import RuleContext
from karbor_backup_core import Backup, Operation, Resource, Verb
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


def refusal(operation: Operation) -> str:
    """Return why an operation was refused, before anything was begun."""
    outcome = get_outcome(operation)
    assert outcome.refused, outcome
    return outcome.reason
