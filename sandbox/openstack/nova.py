"""Nova: its API, its scheduler and conductor, and one machine for servers: this one."""

from collections.abc import Sequence
from pathlib import Path

from sandbox.layout import Layout
from sandbox.openstack import cinder, configuration, libvirt
from sandbox.openstack.libvirt import Virtualization
from sandbox.openstack.site import HOST_NAME, ZONE, Site
from sandbox.ports import HOST
from sandbox.services import Service

NAME = "nova-api"
COMPUTE = "nova-compute"
CONDUCTOR = "nova-conductor"
SCHEDULER = "nova-scheduler"
DATABASE = "nova"
API_DATABASE = "nova_api"
CELL0_DATABASE = "nova_cell0"

_OVERCOMMITMENT = 64


def instance_directory(layout: Layout) -> Path:
    """Return the directory with a directory for each server on this machine."""
    return layout.data / "nova" / "instances"


def configure(site: Site, virtualization: Virtualization) -> None:
    """Write the configuration."""
    instance_directory(site.layout).mkdir(parents=True, exist_ok=True)
    own = configuration.credentials(site.state)
    privsep = {"helper_command": f"privsep-helper --config-file {site.etc / 'nova.conf'}"}
    driver = "libvirt.LibvirtDriver" if virtualization != "files" else "sandbox.FileDriver"
    site.write_configuration(
        "nova.conf",
        {
            "DEFAULT": {**_default_section(site), "compute_driver": driver, **_timeouts()},
            "api": {"auth_strategy": "keystone"},
            "wsgi": {"api_paste_config": site.packaged_file("nova/api-paste.ini")},
            "api_database": {"connection": site.database.url(API_DATABASE)},
            "database": {"connection": site.database.url(DATABASE)},
            "conductor": {"workers": 1},
            "scheduler": {"workers": 1},
            "filter_scheduler": {"track_instance_changes": False},
            "service_user": configuration.own_token(site.state),
            "placement": own,
            "neutron": own,
            "cinder": {**own, "catalog_info": "block-storage::publicURL"},
            "libvirt": _libvirt_section(site.layout, virtualization),
            "quota": dict.fromkeys(("instances", "cores", "ram", "server_groups"), -1),
            "vnc": {"enabled": False},
            "spice": {"enabled": False},
            "upgrade_levels": {"compute": "auto"},
            "nova_sys_admin": privsep,
            "privsep_osbrick": privsep,
        },
    )


def api_service(site: Site, port: int) -> Service:
    """Return the API's server."""
    files = (str(site.packaged_file("nova/api-paste.ini")), "nova.conf")
    environ = {"OS_NOVA_CONFIG_DIR": str(site.etc), "OS_NOVA_CONFIG_FILES": ";".join(files)}
    return site.api_service(NAME, "nova.wsgi.osapi_compute", port, environ=environ)


def controller_services(site: Site) -> Sequence[Service]:
    """Return the servers that stand between the API and the machine."""
    ready = {CONDUCTOR: "Starting conductor node", SCHEDULER: "Starting scheduler node"}
    return [_make_service(site, name, text) for name, text in ready.items()]


def compute_service(site: Site) -> Service:
    """Return the server that makes servers; it wants all others, and the catalog."""
    return _make_service(site, COMPUTE, "Starting compute node")


def _make_service(site: Site, name: str, ready_text: str) -> Service:
    command = [site.program_path(name), f"--config-file={site.etc / 'nova.conf'}"]
    return site.make_service(name, command, ready_text=ready_text)


def _default_section(site: Site) -> configuration.Section:
    return {
        "my_ip": HOST,
        "host": HOST_NAME,
        "state_path": site.make_directory("nova"),
        "instances_path": instance_directory(site.layout),
        "transport_url": site.broker.url,
        "rootwrap_config": site.packaged_file("nova/rootwrap.conf"),
        "default_availability_zone": ZONE,
        "reserved_host_memory_mb": 0,
        "reserved_host_disk_mb": 0,
        "cpu_allocation_ratio": _OVERCOMMITMENT,
        "ram_allocation_ratio": _OVERCOMMITMENT,
        "disk_allocation_ratio": _OVERCOMMITMENT,
        # No agent of Neutron's would say that a port is plugged.
        "vif_plugging_is_fatal": False,
        "vif_plugging_timeout": 0,
    }


def _timeouts() -> configuration.Section:
    """Return how long to wait, in seconds: as short as it can be, since guests are tiny."""
    return {
        "shutdown_timeout": 1,
        "graceful_shutdown_timeout": 2,
        "block_device_allocate_retries": 300,
        "block_device_allocate_retries_interval": 1,
        "heal_instance_info_cache_interval": -1,
    }


def _libvirt_section(layout: Layout, virtualization: Virtualization) -> configuration.Section:
    if virtualization == "files":
        return {}
    return {
        "virt_type": virtualization,
        "connection_uri": libvirt.connection_uri(layout),
        "cpu_mode": "none",
        "images_type": "qcow2",
        "inject_partition": -2,
        "num_pcie_ports": 4,
        "nfs_mount_point_base": cinder.mount_directory(layout),
    }
