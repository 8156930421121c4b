"""Cinder's own backup service as a backend of karbor-backup."""

from karbor_backup_openstack.libraries import OPENSTACK_LIBRARIES, check_libraries

check_libraries(OPENSTACK_LIBRARIES)

from karbor_backup_cinder.backend import CinderBackend  # noqa: E402 - after the check above

__all__ = ["CinderBackend"]
