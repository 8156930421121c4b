"""Whether the quotas of Cinder and Nova leave room for what is to be made."""

from typing import Any, Final

import attrs

from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.services import CloudServices

_UNLIMITED: Final = -1

_CINDER: Final = {
    "volumes": ("max_total_volumes", "total_volumes_used"),
    "gigabytes": ("max_total_volume_gigabytes", "total_gigabytes_used"),
    "snapshots": ("max_total_snapshots", "total_snapshots_used"),
    "backups": ("max_total_backups", "total_backups_used"),
    "backup_gigabytes": ("max_total_backup_gigabytes", "total_backup_gigabytes_used"),
}
_NOVA: Final = {
    "instances": ("max_total_instances", "total_instances_used"),
    "cores": ("max_total_cores", "total_cores_used"),
    "ram": ("max_total_ram_size", "total_ram_used"),
}


@attrs.frozen(kw_only=True)
class QuotaRequirement:
    """What is to be made, by the names of the services' quotas.

    Attributes:
        volumes: how many.
        gigabytes: of volumes, in GiB.
        snapshots: how many.
        backups: of Cinder's own, how many.
        backup_gigabytes: of Cinder's own backups, in GiB.
        instances: servers, how many.
        cores: of servers, how many.
        ram: of servers, in MiB.
    """

    volumes: int = 0
    gigabytes: int = 0
    snapshots: int = 0
    backups: int = 0
    backup_gigabytes: int = 0
    instances: int = 0
    cores: int = 0
    ram: int = 0


def cinder_quota_problems(services: CloudServices, need: QuotaRequirement) -> list[str]:
    """Return which of Cinder's quotas are too small.

    Errors are those of ``errors.translate_errors``.
    """
    if not any(getattr(need, quota) for quota in _CINDER):
        return []
    with translate_errors("Cinder for its quotas"):
        limits = services.sdk.block_storage.get_limits().absolute
    return _find_shortages("Cinder", _CINDER, need, limits)


def nova_quota_problems(services: CloudServices, need: QuotaRequirement) -> list[str]:
    """Return which of Nova's quotas are too small; raise as ``errors.translate_errors`` does."""
    if not any(getattr(need, quota) for quota in _NOVA):
        return []
    with translate_errors("Nova for its quotas"):
        limits = services.sdk.compute.get_limits().absolute
    return _find_shortages("Nova", _NOVA, need, limits)


def _find_shortages(
    service: str, quotas: dict[str, tuple[str, str]], need: QuotaRequirement, limits: Any
) -> list[str]:
    shortages = []
    for quota, (limit_name, used_name) in quotas.items():
        needed = getattr(need, quota)
        limit, used = getattr(limits, limit_name), getattr(limits, used_name) or 0
        if not needed or limit is None or limit == _UNLIMITED or used + needed <= limit:
            continue
        shortages.append(
            f"{service}'s quota of {quota} is {limit}, {used} are in use, and {needed} more are "
            "needed"
        )
    return shortages
