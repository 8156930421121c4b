"""An in-memory cloud as a backend of karbor-backup: for tests, and as a model for authors."""

from karbor_backup_fake._backend import FakeBackend
from karbor_backup_fake._cloud import FakeCloud
from karbor_backup_fake._registry import named_cloud, seed_cloud

__all__ = ["FakeBackend", "FakeCloud", "named_cloud", "seed_cloud"]
