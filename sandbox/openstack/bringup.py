"""The order in which the cloud's servers come up."""

from collections.abc import Sequence

import attrs

from sandbox import mariadb
from sandbox.environments import ensure_environment
from sandbox.instance import Instance
from sandbox.openstack import (
    catalog,
    cinder,
    databases,
    glance,
    libvirt,
    neutron,
    nova,
    placement,
    programs,
    rabbitmq,
)
from sandbox.openstack.catalog import Ports
from sandbox.openstack.libvirt import Virtualization
from sandbox.openstack.site import Site
from sandbox.services import Service

DATABASE_SERVER = "cloud-mariadb"


@attrs.frozen
class Cloud:
    """What is to be known of the cloud; what it offers, its users find in the catalog.

    Attributes:
        virtualization: how its servers run.
    """

    virtualization: Virtualization


def bring_up(instance: Instance) -> Cloud:
    """Start the cloud's servers, and make what every project needs; nothing is left if one fails.

    Raises:
        SandboxError: this is not root, or a server did not come up; the text says which and why.
    """
    programs.require_root()
    programs.install_missing(instance.report)
    before = set(instance.servers())
    try:
        return _bring_up(instance)
    except BaseException:
        instance.stop_all(set(instance.servers()) - before)
        instance.undo_host_changes()
        raise


def _bring_up(instance: Instance) -> Cloud:
    installed = ensure_environment(instance.project, "cloud", instance.report)
    virtualization = libvirt.choose_virtualization(installed)
    template = databases.ensure_template(instance, installed)
    broker = rabbitmq.allocate()
    backbone = [instance.launch(rabbitmq.service(instance, broker))]
    site = Site(
        instance=instance,
        state=instance.state,
        environment=installed,
        database=mariadb.bring_up(instance, DATABASE_SERVER, template),
        broker=broker,
    )
    _configure(site, virtualization)
    if virtualization != "files":
        # Only now: in namespaces of its own it sees what was mounted before, and nothing later.
        backbone.append(instance.launch(libvirt.service(instance)))
    for server in backbone:
        instance.wait(server)
    instance.report("Starting Glance, Cinder, Placement, Neutron and Nova.")
    _start_services(site)
    instance.start_all([nova.compute_service(site)])
    catalog.create_defaults(site.state)
    return Cloud(virtualization)


def _configure(site: Site, virtualization: Virtualization) -> None:
    site.etc.mkdir(mode=0o700, exist_ok=True)
    site.taps.mkdir(exist_ok=True)
    glance.configure(site)
    cinder.configure(site)
    placement.configure(site)
    neutron.configure(site)
    nova.configure(site, virtualization)


def _start_services(site: Site) -> None:
    """Start all that can load at the same time; they find each other in the catalog."""

    def services(ports: Sequence[int]) -> list[Service]:
        at = Ports(*ports)
        # Nova's look once, when they start, whether Placement is there.
        catalog.register_services(site.state, at)
        return [
            nova.api_service(site, at.nova),
            neutron.service(site, at.neutron),
            cinder.api_service(site, at.cinder),
            glance.service(site, at.glance),
            placement.service(site, at.placement),
            *cinder.worker_services(site),
            *nova.controller_services(site),
        ]

    site.instance.start_all_on_free_ports(services, len(attrs.fields(Ports)))
