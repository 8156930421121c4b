"""Which libraries the backend needs."""

from typing import Final

from karbor_backup_openstack.libraries import OPENSTACK_LIBRARIES, Library

LIBRARIES: Final = (Library("freezerclient", "python-freezerclient", "6.0"), *OPENSTACK_LIBRARIES)
"""The extra ``freezer`` of the distribution asks for the same."""
