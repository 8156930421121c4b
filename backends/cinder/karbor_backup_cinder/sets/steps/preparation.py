"""What the steps of a protect have in common that go before its copies."""

import abc

from karbor_backup_cinder.sets.context import SetCall, SetStep
from karbor_backup_core import Progress, ProgressState
from karbor_backup_openstack.marked_resources import MarkedResources


class Preparation(SetStep):
    """Has a service make something of each disk. After it the operation can still be stopped."""

    @property
    @abc.abstractmethod
    def _made(self) -> MarkedResources:
        """What it makes."""

    def status(self, call: SetCall) -> Progress:
        """Return whether the service is still at work."""
        operation = call.operation
        if call.step != self.name or operation.outcome is not None:
            return Progress(ProgressState.UNKNOWN)
        busy = self._made.list_busy(operation)
        if busy:
            return Progress(ProgressState.RUNNING, leftovers=busy)
        if operation.cancel_sent:
            return Progress(ProgressState.CANCELLED)
        return Progress(ProgressState.READY)

    def cancel(self, call: SetCall) -> bool:
        """Return that it was taken: after this step no copy is begun."""
        return call.step == self.name

    def revert(self, call: SetCall) -> Progress:
        """Remove what was made."""
        removal = self._made.remove(call.operation)
        state = ProgressState.RUNNING if removal.pending else ProgressState.SUCCEEDED
        return Progress(state, leftovers=(*removal.pending, *removal.leftovers))
