"""Protects directories: each backup is one archive in a vault, a folder of this machine."""

from karbor_backup_tar.backend import TarBackend

__all__ = ["TarBackend"]
