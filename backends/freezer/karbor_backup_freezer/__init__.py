"""OpenStack Freezer as a backend of karbor-backup."""

from karbor_backup_freezer.libraries import LIBRARIES
from karbor_backup_openstack.libraries import check_libraries

check_libraries(LIBRARIES)

from karbor_backup_freezer.backend import FreezerBackend  # noqa: E402 - after the check above

__all__ = ["FreezerBackend"]
