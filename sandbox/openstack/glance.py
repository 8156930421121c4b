"""Glance, which keeps images in files."""

from pathlib import Path

from sandbox.layout import Layout
from sandbox.openstack.file_systems import mount_file
from sandbox.openstack.site import Site
from sandbox.services import Service

NAME = "glance-api"
DATABASE = "glance"

_ROOM = 64 << 30


def image_directory(layout: Layout) -> Path:
    """Return the directory of the images, a file system of its own: one that can be full."""
    return layout.data / "glance" / "images"


def configure(site: Site) -> None:
    """Write the configuration, and make a file system for the images."""
    images = image_directory(site.layout)
    mount_file(site.make_directory("glance") / "images.ext4", images, _ROOM)
    site.write_configuration(
        "glance-api.conf",
        {
            "DEFAULT": {
                "enabled_backends": "file:file",
                "enabled_import_methods": "[glance-direct]",
            },
            "database": {"connection": site.database.url(DATABASE)},
            "glance_store": {"default_backend": "file"},
            "file": {"filesystem_store_datadir": images},
            "os_glance_staging_store": {
                "filesystem_store_datadir": site.make_directory("glance", "staging")
            },
            "os_glance_tasks_store": {
                "filesystem_store_datadir": site.make_directory("glance", "tasks")
            },
            "paste_deploy": {
                "flavor": "keystone",
                "config_file": site.packaged_file("glance/glance-api-paste.ini"),
            },
        },
    )


def service(site: Site, port: int) -> Service:
    """Return the API's server."""
    return site.api_service(
        NAME, "glance.wsgi.api", port, environ={"OS_GLANCE_CONFIG_DIR": str(site.etc)}
    )
