"""A backend for directories: each backup is one tar archive in a vault, a local folder."""

from karbor_backup_tar.backend import TarBackend

__all__ = ["TarBackend"]
