"""The first step of a protect: what there is to protect, and whether it can be."""

from karbor_backup_cinder.sets.context import SetCall, SetStep
from karbor_backup_core import Progress, ProgressState


class Discovery(SetStep):
    """Finds out what a protect covers; nothing is made before that is stored."""

    name = "discovery"

    def execute(self, call: SetCall) -> Progress:
        """Discover the server or project.

        Raises:
            InvalidInput: it cannot be protected as it is now.
        """
        if call.step == self.name:
            return call.receipt.report(ProgressState.SUCCEEDED)
        discovered = self._context.discoverer.discover(
            call.operation.resource, call.operation.options
        )
        return discovered.report(ProgressState.READY)
