"""OpenStack Freezer as a backend of karbor-backup."""

import importlib.util

# These are imported at their first use, since they are slow to import. Whether they are there is
# asked now, so that a missing one is told when the backend is loaded and not in mid-operation.
for _library in ("freezerclient", "keystoneauth1", "openstack"):
    if importlib.util.find_spec(_library) is None:
        raise ModuleNotFoundError(f"No module named {_library!r}", name=_library)

from karbor_backup_freezer.backend import FreezerBackend  # noqa: E402 - after the check above

__all__ = ["FreezerBackend"]
