"""Cinder, whose volumes are files on what it takes for an NFS share, and so real bytes."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from sandbox.layout import Layout
from sandbox.openstack import configuration
from sandbox.openstack.file_systems import mount_file
from sandbox.openstack.site import HOST_NAME, ZONE, Site
from sandbox.ports import HOST
from sandbox.services import Service

NAME = "cinder-api"
BACKUP = "cinder-backup"
VOLUME = "cinder-volume"
SCHEDULER = "cinder-scheduler"
DATABASE = "cinder"
DEFAULT_TYPE = "__DEFAULT__"

_ROOM = 64 << 30
_SHARE = f"{HOST}:/sandbox"
_BACKEND = "nfs"


def mount_directory(layout: Layout) -> Path:
    """Return the directory below which Cinder and Nova look for mounted shares."""
    return layout.data / "cinder" / "shares"


def share_directory(layout: Layout) -> Path:
    """Return the directory with a file for each volume: where os-brick would mount the share."""
    return mount_directory(layout) / hashlib.md5(_SHARE.encode(), usedforsecurity=False).hexdigest()


def configure(site: Site) -> None:
    """Write the configuration, and mount the share."""
    home = site.make_directory("cinder")
    # Nova insists on a mount point, and so on a file system of its own.
    mount_file(home / "share.ext4", share_directory(site.layout), _ROOM)
    (site.etc / "nfs_shares").write_text(f"{_SHARE}\n")
    (site.etc / "cinder-rootwrap.conf").write_text(_rootwrap_command(site))
    privsep = {"helper_command": f"privsep-helper --config-file {site.etc / 'cinder.conf'}"}
    site.write_configuration(
        "cinder.conf",
        {
            "DEFAULT": {
                **_default_section(site, home),
                **_unlimited_quotas(),
                **_backup_section(site),
            },
            _BACKEND: _nfs_section(site),
            "database": {"connection": site.database.url(DATABASE)},
            "service_user": configuration.own_token(site.state),
            "nova": {**configuration.credentials(site.state), "interface": "public"},
            "key_manager": _fixed_key_section(),
            "coordination": {
                "backend_url": f"file://{site.make_directory('cinder', 'coordination')}"
            },
            "cinder_sys_admin": privsep,
            "privsep_osbrick": privsep,
        },
    )


def api_service(site: Site, port: int) -> Service:
    """Return the API's server."""
    return site.api_service(
        NAME, "cinder.wsgi.api", port, f"--config-file={site.etc / 'cinder.conf'}"
    )


def worker_services(site: Site) -> Sequence[Service]:
    """Return the servers that do what the API is asked for."""
    ready = {
        SCHEDULER: "Starting cinder-scheduler node",
        VOLUME: "Driver initialization completed successfully",
        BACKUP: "Cleaning up incomplete backup operations",
    }
    return [
        site.make_service(
            name,
            [site.program_path(name), f"--config-file={site.etc / 'cinder.conf'}"],
            ready_text=text,
        )
        for name, text in ready.items()
    ]


def _default_section(site: Site, home: Path) -> configuration.Section:
    return {
        "my_ip": HOST,
        "host": HOST_NAME,
        "auth_strategy": "keystone",
        "state_path": home,
        "transport_url": site.broker.url,
        "enabled_backends": _BACKEND,
        "default_volume_type": DEFAULT_TYPE,
        "storage_availability_zone": ZONE,
        "api_paste_config": site.packaged_file("cinder/api-paste.ini"),
        "resource_query_filters_file": site.packaged_file("cinder/resource_filters.json"),
        "rootwrap_config": site.etc / "cinder-rootwrap.conf",
        "image_conversion_dir": site.make_directory("cinder", "conversion"),
        "osapi_volume_workers": 1,
        # Seconds between two looks at how much room there is, for the scheduler.
        "periodic_interval": 5,
    }


def _unlimited_quotas() -> configuration.Section:
    kinds = ("volumes", "snapshots", "gigabytes", "backups", "backup_gigabytes")
    return {f"quota_{kind}": -1 for kind in kinds}


def _fixed_key_section() -> configuration.Section:
    """Cinder's own key manager for tests: without one nobody can make an encrypted volume."""
    return {"backend": "cinder.keymgr.conf_key_mgr.ConfKeyManager", "fixed_key": "0" * 64}


def _backup_section(site: Site) -> configuration.Section:
    return {
        "backup_driver": "cinder.backup.drivers.posix.PosixBackupDriver",
        "backup_posix_path": site.make_directory("cinder", "backups"),
        "backup_compression_algorithm": "zstd",
        "backup_workers": 1,
        "backup_use_same_host": True,
    }


def _nfs_section(site: Site) -> configuration.Section:
    return {
        "volume_driver": "cinder.volume.drivers.nfs.NfsDriver",
        "volume_backend_name": _BACKEND,
        "nfs_shares_config": site.etc / "nfs_shares",
        "nfs_mount_point_base": mount_directory(site.layout),
        "nfs_snapshot_support": True,
        "nfs_sparsed_volumes": True,
        "nas_secure_file_operations": False,
        "nas_secure_file_permissions": False,
    }


def _rootwrap_command(site: Site) -> str:
    filters = (site.packaged_file("cinder/rootwrap.d"), site.packaged_file("os-brick/rootwrap.d"))
    programs = (site.environment.bin, "/sbin", "/usr/sbin", "/bin", "/usr/bin")
    return f"""\
[DEFAULT]
filters_path = {",".join(map(str, filters))}
exec_dirs = {",".join(map(str, programs))}
use_syslog = False
"""
