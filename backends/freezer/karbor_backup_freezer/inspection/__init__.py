"""What a protect has really stored: inspected, and assessed.

- ``inspector``: inspects the items of a protect.
- ``assessment``: whether the backup is whole, by what was found.
- ``measurement``, ``layout``: what is measured, and where the agent puts it.
- ``archive``, ``contents``, ``archive_reads``: what a directory's archive holds.
- ``reader`` and a module for each kind of storage: how it is read.
"""

from karbor_backup_freezer.inspection.assessment import Assessment, assess
from karbor_backup_freezer.inspection.inspector import DataInspector
from karbor_backup_freezer.inspection.layout import BackupLocation
from karbor_backup_freezer.inspection.measurement import Measurement

__all__ = ["Assessment", "BackupLocation", "DataInspector", "Measurement", "assess"]
