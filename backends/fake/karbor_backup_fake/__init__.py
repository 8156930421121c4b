"""An in-memory cloud as a backend of karbor-backup: for tests, and as a model for authors."""

from karbor_backup_fake.backend import FakeBackend
from karbor_backup_fake.cloud import Cloud
from karbor_backup_fake.named import furnished, named_cloud

__all__ = ["Cloud", "FakeBackend", "furnished", "named_cloud"]
