"""What this machine holds, in a restic repository, as a backend of karbor-backup."""

from karbor_backup_restic._abilities import DIRECTORY, FILE, OUTPUT
from karbor_backup_restic._backend import ResticBackend

__all__ = ["DIRECTORY", "FILE", "OUTPUT", "ResticBackend"]
