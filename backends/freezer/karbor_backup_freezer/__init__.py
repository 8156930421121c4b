"""OpenStack Freezer as a backend of karbor-backup."""

from karbor_backup_freezer.backend import FreezerBackend

__all__ = ["FreezerBackend"]
