"""Whether Cinder's backup service can be used, as far as it tells a project."""

from typing import Any

from karbor_backup_core import BackendError, Health, InvalidInput
from karbor_backup_openstack.connection import Connection
from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.services import CloudServices

_UNSEEN = "whether a cinder-backup runs is told to administrators only"


def check_health(connection: Connection, services: CloudServices) -> Health:
    """Look whether Cinder answers and how many backups it would still take."""
    try:
        with translate_errors("Cinder for its quotas"):
            limits: Any = services.sdk.block_storage.get_limits().absolute
        endpoint = connection.endpoint
    except (BackendError, InvalidInput) as error:
        return Health(ok=False, summary=str(error))
    used, limit = limits.total_backups_used or 0, limits.max_total_backups
    full = limit is not None and 0 <= limit <= used
    summary = f"Cinder at {endpoint} has {used} backups of the project"
    details = {"endpoint": endpoint, "backups": used, "quota": limit, "unseen": _UNSEEN}
    if full:
        summary = f"{summary}, and its quota is {limit}: delete some, or ask for more"
    return Health(ok=not full, summary=f"{summary}; {_UNSEEN}", details=details)
