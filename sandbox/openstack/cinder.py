"""Cinder, whose volumes are files on what it takes for an NFS share, and so real bytes."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from sandbox.layout import Layout
from sandbox.openstack import configuration
from sandbox.openstack.disks import mount_file
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


def mounts(layout: Layout) -> Path:
    """Return the directory below which Cinder and Nova look for mounted shares."""
    return layout.data / "cinder" / "shares"


def share(layout: Layout) -> Path:
    """Return the directory with a file for each volume: where os-brick would mount the share."""
    return mounts(layout) / hashlib.md5(_SHARE.encode(), usedforsecurity=False).hexdigest()


def configure(site: Site) -> None:
    """Write the configuration, and mount the share."""
    home = site.directory("cinder")
    # Nova insists on a mount point, and so on a file system of its own.
    mount_file(home / "share.ext4", share(site.layout), _ROOM)
    (site.etc / "nfs_shares").write_text(f"{_SHARE}\n")
    (site.etc / "cinder-rootwrap.conf").write_text(_rootwrap(site))
    privsep = {"helper_command": f"privsep-helper --config-file {site.etc / 'cinder.conf'}"}
    site.configure(
        "cinder.conf",
        {
            "DEFAULT": {**_general(site, home), **_unlimited(), **_backup(site)},
            _BACKEND: _nfs(site),
            "database": {"connection": site.database.url(DATABASE)},
            "service_user": configuration.own_token(site.state),
            "nova": {**configuration.credentials(site.state), "interface": "public"},
            "key_manager": _one_key(),
            "coordination": {"backend_url": f"file://{site.directory('cinder', 'coordination')}"},
            "cinder_sys_admin": privsep,
            "privsep_osbrick": privsep,
        },
    )


def api(site: Site, port: int) -> Service:
    """Return the API's server."""
    return site.api(NAME, "cinder.wsgi.api", port, f"--config-file={site.etc / 'cinder.conf'}")


def others(site: Site) -> Sequence[Service]:
    """Return the servers that do what the API is asked for."""
    ready = {
        SCHEDULER: "Starting cinder-scheduler node",
        VOLUME: "Driver initialization completed successfully",
        BACKUP: "Cleaning up incomplete backup operations",
    }
    return [
        site.server(
            name,
            [site.program(name), f"--config-file={site.etc / 'cinder.conf'}"],
            ready_text=text,
        )
        for name, text in ready.items()
    ]


def _general(site: Site, home: Path) -> configuration.Section:
    return {
        "my_ip": HOST,
        "host": HOST_NAME,
        "auth_strategy": "keystone",
        "state_path": home,
        "transport_url": site.broker.url,
        "enabled_backends": _BACKEND,
        "default_volume_type": DEFAULT_TYPE,
        "storage_availability_zone": ZONE,
        "api_paste_config": site.published("cinder/api-paste.ini"),
        "resource_query_filters_file": site.published("cinder/resource_filters.json"),
        "rootwrap_config": site.etc / "cinder-rootwrap.conf",
        "image_conversion_dir": site.directory("cinder", "conversion"),
        "osapi_volume_workers": 1,
        # Seconds between two looks at how much room there is, for the scheduler.
        "periodic_interval": 5,
    }


def _unlimited() -> configuration.Section:
    kinds = ("volumes", "snapshots", "gigabytes", "backups", "backup_gigabytes")
    return {f"quota_{kind}": -1 for kind in kinds}


def _one_key() -> configuration.Section:
    """Cinder's own key manager for tests: without one nobody can make an encrypted volume."""
    return {"backend": "cinder.keymgr.conf_key_mgr.ConfKeyManager", "fixed_key": "0" * 64}


def _backup(site: Site) -> configuration.Section:
    return {
        "backup_driver": "cinder.backup.drivers.posix.PosixBackupDriver",
        "backup_posix_path": site.directory("cinder", "backups"),
        "backup_compression_algorithm": "zstd",
        "backup_workers": 1,
        "backup_use_same_host": True,
    }


def _nfs(site: Site) -> configuration.Section:
    return {
        "volume_driver": "cinder.volume.drivers.nfs.NfsDriver",
        "volume_backend_name": _BACKEND,
        "nfs_shares_config": site.etc / "nfs_shares",
        "nfs_mount_point_base": mounts(site.layout),
        "nfs_snapshot_support": True,
        "nfs_sparsed_volumes": True,
        "nas_secure_file_operations": False,
        "nas_secure_file_permissions": False,
    }


def _rootwrap(site: Site) -> str:
    filters = (site.published("cinder/rootwrap.d"), site.published("os-brick/rootwrap.d"))
    programs = (site.environment.bin, "/sbin", "/usr/sbin", "/bin", "/usr/bin")
    return f"""\
[DEFAULT]
filters_path = {",".join(map(str, filters))}
exec_dirs = {",".join(map(str, programs))}
use_syslog = False
"""
