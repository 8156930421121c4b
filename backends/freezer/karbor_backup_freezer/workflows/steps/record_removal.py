"""The last step of a delete: Freezer's records, by which all the rest is found."""

from karbor_backup_core import Progress
from karbor_backup_freezer.workflows.step import FreezerCall, FreezerStep


class RecordRemoval(FreezerStep):
    """Removes Freezer's records of a backup."""

    name = "records"

    def execute(self, call: FreezerCall) -> Progress:
        """Remove each record; one that is gone already is no error."""
        for stored in self._context.load_handle(call.operation).items:
            self._context.client.delete_entry("backups", stored.record)
        return call.receipt.succeeded_progress()
