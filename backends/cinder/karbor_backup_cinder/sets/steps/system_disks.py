"""The step of a protect that makes images of the system disks that no volume holds."""

import attrs

from karbor_backup_cinder.sets.context import SetCall
from karbor_backup_cinder.sets.images import READY, SystemDiskImages
from karbor_backup_cinder.sets.steps.preparation import Preparation
from karbor_backup_core import Progress, ProgressState


class SystemDisks(Preparation):
    """Has Nova make an image of each such disk, when the volumes have their snapshots.

    Not at the same time: to take a snapshot of a volume that a server uses, some of Cinder's
    drivers ask Nova, which refuses while it makes an image of the server (seen with Nova 34 and
    the driver NFS).
    """

    name = "images"

    def execute(self, call: SetCall) -> Progress:
        """Ask for all of them; then look at them."""
        if all(server.boots_from_volume for server in call.receipt.servers):
            return call.receipt.report(ProgressState.SUCCEEDED)
        if call.step == self.name:
            return self._finish(call)
        operation, images = call.operation, self._context.images
        there = images.find(operation)
        lacking = [
            server
            for server in call.receipt.servers
            if not server.boots_from_volume and server.id not in there
        ]
        images.create(operation, lacking)
        return call.receipt.report(ProgressState.RUNNING)

    @property
    def _made(self) -> SystemDiskImages:
        return self._context.images

    def revert(self, call: SetCall) -> Progress:
        """Remove the images, unless they are part of a backup."""
        if call.operation.work_succeeded:
            return Progress(ProgressState.SUCCEEDED)
        return super().revert(call)

    def _finish(self, call: SetCall) -> Progress:
        receipt = call.receipt
        if self._context.images.list_busy(call.operation):
            return receipt.report(ProgressState.RUNNING)
        images = self._context.images.find(call.operation)
        for server in (one for one in receipt.servers if not one.boots_from_volume):
            image = images.get(server.id)
            if image is None or image.status != READY:
                state = "gone" if image is None else f"in state {image.status}"
                reason = f"the image that Nova makes of server {server.id} is {state}"
                return receipt.report(ProgressState.FAILED, reason=reason)
        noted = attrs.evolve(receipt, images={key: image.id for key, image in images.items()})
        return noted.report(ProgressState.SUCCEEDED)
