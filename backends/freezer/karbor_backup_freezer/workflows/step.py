"""What every step of this backend is, and the call that it gets."""

import functools

import attrs

from karbor_backup_core import Step, StepCall
from karbor_backup_freezer.api.jobs import Job
from karbor_backup_freezer.model.receipt import Receipt
from karbor_backup_freezer.workflows.context import WorkflowContext


@attrs.frozen
class FreezerCall(StepCall):
    """One call of the steps of an operation, with what it has read.

    Attributes:
        jobs: the jobs that were looked up in this call, by id; None where Freezer has none.
    """

    jobs: dict[str, Job | None] = attrs.field(factory=dict, eq=False, repr=False)

    @functools.cached_property
    def receipt(self) -> Receipt:
        """The operation's receipt.

        Raises:
            BackendError: it was written by another version, or is damaged.
        """
        return Receipt.from_operation(self.operation)

    @property
    def is_doubtful(self) -> bool:
        """Whether a reply was lost, so that more may have been made than is noted."""
        return self.operation.attempt > 1 or self.receipt.doubt


class FreezerStep(Step[FreezerCall]):
    """A step of this backend.

    Args:
        context: what the steps need; it keeps no state of operations.
    """

    def __init__(self, context: WorkflowContext) -> None:
        self._context = context
