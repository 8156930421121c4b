"""Directories and files of this machine in a restic repository, as a backend of karbor-backup."""

from karbor_backup_restic._abilities import DIRECTORY, FILE
from karbor_backup_restic._backend import ResticBackend

__all__ = ["DIRECTORY", "FILE", "ResticBackend"]
