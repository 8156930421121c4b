"""Neutron: networks, ports and their addresses are real, but nothing is sent over them."""

from sandbox.openstack.site import Site
from sandbox.services import Service

NAME = "neutron-api"
DATABASE = "neutron"


def configure(site: Site) -> None:
    """Write the configuration; the driver that it names is in the directory `plugins`."""
    kinds = ("network", "subnet", "port", "security_group", "security_group_rule")
    site.write_configuration(
        "neutron.conf",
        {
            "DEFAULT": {
                "state_path": site.make_directory("neutron"),
                "transport_url": site.broker.url,
                "core_plugin": "ml2",
                "service_plugins": "",
                "auth_strategy": "keystone",
                "api_paste_config": site.packaged_file("neutron/api-paste.ini"),
                "notify_nova_on_port_status_changes": False,
                "notify_nova_on_port_data_changes": False,
            },
            "database": {"connection": site.database.url(DATABASE)},
            "ml2": {
                "type_drivers": "local",
                "tenant_network_types": "local",
                "mechanism_drivers": "sandbox",
            },
            "securitygroup": {"enable_security_group": True},
            "quotas": {f"quota_{kind}": -1 for kind in kinds},
        },
    )


def service(site: Site, port: int) -> Service:
    """Return the API's server."""
    environ = {"OS_NEUTRON_CONFIG_DIR": str(site.etc), "OS_NEUTRON_CONFIG_FILES": "neutron.conf"}
    return site.api_service(NAME, "neutron.wsgi.api", port, environ=environ)
