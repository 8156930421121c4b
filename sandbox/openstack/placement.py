"""Placement, which counts what of the machine Nova's servers have taken."""

from sandbox.openstack.site import Site
from sandbox.services import Service

NAME = "placement-api"
DATABASE = "placement"


def configure(site: Site) -> None:
    """Write the configuration."""
    site.write_configuration(
        "placement.conf",
        {
            "api": {"auth_strategy": "keystone"},
            "placement_database": {"connection": site.database.url(DATABASE)},
        },
    )


def service(site: Site, port: int) -> Service:
    """Return the API's server."""
    return site.api_service(
        NAME, "placement.wsgi.api", port, environ={"OS_PLACEMENT_CONFIG_DIR": str(site.etc)}
    )
