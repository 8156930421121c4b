"""What is written down of a server."""

from typing import Any

import pytest
from openstack.compute.v2.server import Server

from karbor_backup_openstack.discovery.servers import DiscoveredServer, ServerDiscovery
from karbor_backup_openstack.server_spec import ServerSpec
from karbor_backup_openstack.volumes import find_volume
from tests.backends.openstack.discovery.cloud_documents import (
    FLAVOR,
    serve_project,
    server_document,
    volume_document,
)
from tests.backends.openstack.stub_cloud import StubCloud


def discover(cloud: StubCloud, **more: Any) -> DiscoveredServer:
    body = {**server_document("s1", image="i1"), **more}
    if not cloud.proxy.requests:
        serve_project(cloud, [body])
    server: Server = cloud.services.sdk.compute.get_server("s1")
    servers = ServerDiscovery(cloud.services, lambda id_: find_volume(cloud.services, id_))
    return servers.discover_server(server, lambda _: False)


def discover_spec(cloud: StubCloud, **more: Any) -> ServerSpec:
    return discover(cloud, **more).spec


def port_document(id_: str, mac: str, network: str = "n1") -> dict[str, Any]:
    fixed = [{"subnet_id": "sub", "ip_address": f"10.0.0.{id_[-1]}"}]
    groups = {"security_groups": ["g1"]}
    return {"id": id_, "mac_address": mac, "network_id": network, "fixed_ips": fixed, **groups}


def test_server_spec_holds_what_a_restore_needs(stub_cloud: StubCloud) -> None:
    details = discover_spec(
        stub_cloud,
        key_name="key",
        metadata={"a": "b", "karbor_backup_operation": "x"},
        config_drive="True",
        tags=["t"],
        description="words",
    ).details
    assert details == {
        "image_properties": {"hw_disk_bus": "scsi"},
        "flavor": {"id": "f1", "name": "tiny", "vcpus": 1, "ram": 64, "disk": 1},
        "key_name": "key",
        "availability_zone": "nova",
        "metadata": {"a": "b"},
        "config_drive": True,
        "tags": ["t"],
        "description": "words",
    }


def test_machine_properties_come_from_glance_on_an_old_nova(stub_cloud: StubCloud) -> None:
    image = {
        "id": "i1",
        "hw_disk_bus": "scsi",
        "os_type": "linux",
        "os_hidden": False,
        "os_hash_algo": "sha512",
        "os_glance_importing_to_stores": "x",
        "hw_of_ours": 1,
        "img_config_drive": "mandatory",
        "owner_specified.x": "y",
    }
    stub_cloud.add_response("/images/i1$", image)
    links = {"id": "i1", "links": [{"rel": "bookmark", "href": "x"}]}
    assert discover_spec(stub_cloud, image=links).details["image_properties"] == {
        "hw_disk_bus": "scsi",
        "os_type": "linux",
        "hw_of_ours": "1",
        "img_config_drive": "mandatory",
    }


def test_unknown_machine_is_reported_as_uncertain(stub_cloud: StubCloud) -> None:
    discovered = discover(stub_cloud, image={"id": "i1"})
    assert [check.name for check in discovered.checks] == ["machine of server s1"]
    assert "image_properties" not in discovered.spec.details


def test_changed_flavor_is_described_by_its_sizes_only(stub_cloud: StubCloud) -> None:
    flavor = discover_spec(stub_cloud, flavor={**FLAVOR, "ram": 128}).details["flavor"]
    assert flavor == {"name": "tiny", "vcpus": 1, "ram": 128, "disk": 1}


def test_missing_flavor_is_described_by_its_sizes_only(stub_cloud: StubCloud) -> None:
    stub_cloud.add_response("/flavors/detail$", {"flavors": []})
    stub_cloud.add_response("/flavors$", {"flavors": []})
    flavor = discover_spec(stub_cloud, flavor={**FLAVOR, "original_name": "gone"}).details["flavor"]
    assert flavor == {"name": "gone", "vcpus": 1, "ram": 64, "disk": 1}


def test_interfaces_are_in_the_servers_order(stub_cloud: StubCloud) -> None:
    stub_cloud.add_response(
        "/ports$",
        {
            "ports": [
                port_document("p1", "m1"),
                port_document("p2", "m2"),
                port_document("p3", "m3"),
            ]
        },
    )
    stub_cloud.add_response("/networks/n1$", {"network": {"id": "n1", "name": "net"}})
    addresses = {
        "net": [
            {"addr": "10.0.0.3", "OS-EXT-IPS-MAC:mac_addr": "m3"},
            {"addr": "fe80::3", "OS-EXT-IPS-MAC:mac_addr": "m3"},
            {"addr": "10.0.0.1", "OS-EXT-IPS-MAC:mac_addr": "m1"},
        ]
    }
    networks = discover_spec(stub_cloud, addresses=addresses).details["networks"]
    assert [network["port"] for network in networks] == ["p3", "p1", "p2"]
    assert networks[0] == {
        "network": "n1",
        "network_name": "net",
        "port": "p3",
        "mac": "m3",
        "fixed_ips": [{"subnet_id": "sub", "ip_address": "10.0.0.3"}],
        "security_groups": ["g1"],
    }
    asked = [request for request in stub_cloud.proxy.requests if request.path.endswith("/n1")]
    assert len(asked) == 1


def test_invisible_network_has_no_name(stub_cloud: StubCloud) -> None:
    stub_cloud.add_response("/ports$", {"ports": [port_document("p1", "m1")]})
    assert "network_name" not in discover_spec(stub_cloud).details["networks"][0]


def test_ephemeral_disk_is_reported_as_not_covered(stub_cloud: StubCloud) -> None:
    discovered = discover(stub_cloud, flavor={**FLAVOR, "ephemeral": 5})
    assert [check.name for check in discovered.checks] == ["ephemeral disk of server s1"]


@pytest.mark.parametrize(
    ("fields", "bootable", "root", "checks"),
    [
        ({"OS-EXT-SRV-ATTR:root_device_name": "/dev/vdb"}, ["v1", "v2"], "v2", 0),
        ({}, ["v2"], "v2", 0),
        ({}, ["v1", "v2"], "v1", 1),
        ({}, [], "v1", 1),
    ],
)
def test_the_boot_volume_is_found(
    stub_cloud: StubCloud, fields: dict[str, str], bootable: list[str], root: str, checks: int
) -> None:
    serve_project(
        stub_cloud,
        [server_document("s1", **fields)],
        [volume_document(id_, bootable=id_ in bootable) for id_ in ("v1", "v2", "v10")],
        attached={"s1": {"v10": "/dev/vdaa", "v2": "/dev/vdb", "v1": "/dev/vda"}},
    )
    server: Server = stub_cloud.services.sdk.compute.get_server("s1")
    servers = ServerDiscovery(
        stub_cloud.services, lambda id_: find_volume(stub_cloud.services, id_)
    )
    discovered = servers.discover_server(server, lambda _: True)
    assert discovered.spec.attachments[0].volume == root
    assert discovered.spec.attachments[0].boot_index == 0
    assert discovered.spec.attachments[-1].volume == "v10"
    assert len(discovered.checks) == checks


def test_volumes_are_not_requested_when_not_needed(stub_cloud: StubCloud) -> None:
    serve_project(
        stub_cloud, [server_document("s1", image="i1")], attached={"s1": {"v1": "/dev/vdb"}}
    )
    server: Server = stub_cloud.services.sdk.compute.get_server("s1")
    servers = ServerDiscovery(
        stub_cloud.services, lambda id_: find_volume(stub_cloud.services, id_)
    )
    discovered = servers.discover_server(server, lambda _: False)
    assert [attachment.volume for attachment in discovered.spec.attachments] == ["v1"]
    assert not [r for r in stub_cloud.proxy.requests if r.path.startswith("/volume/")]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"port_security_enabled": False, "security_groups": []}, "port security that is off"),
        ({"admin_state_up": False}, "administrative state, down"),
        ({"binding:vnic_type": "direct"}, "binding"),
        ({"binding:profile": {"trusted": "true"}}, "binding"),
        ({"qos_policy_id": "q"}, "QoS policy"),
        ({"extra_dhcp_opts": [{"opt_name": "mtu", "opt_value": "9000"}]}, "DHCP options"),
        ({"trunk_details": {"trunk_id": "t"}}, "trunk"),
        ({"dns_domain": "example.org."}, "DNS domain"),
        ({"description": "words"}, "description"),
    ],
)
def test_unrestored_port_features_are_named(
    stub_cloud: StubCloud, more: dict[str, Any], expected: str
) -> None:
    plain = {"port_security_enabled": True, "admin_state_up": True, "binding:vnic_type": "normal"}
    ports = [{**port_document("p1", "m1"), **plain}, {**port_document("p2", "m2"), **plain, **more}]
    stub_cloud.add_response("/ports$", {"ports": ports})
    stub_cloud.add_response("/networks/n1$", {"network": {"id": "n1", "name": "net"}})
    (check,) = discover(stub_cloud, addresses={}).checks
    assert (check.name, check.verified) == ("port p2 of server s1", False)
    assert check.reason == f"not in this backup: its {expected}"


def test_groups_and_floating_addresses_of_a_server_are_named(stub_cloud: StubCloud) -> None:
    pairs = {"allowed_address_pairs": [{"ip_address": "10.0.0.9", "mac_address": "m1"}]}
    stub_cloud.add_response("/ports$", {"ports": [{**port_document("p1", "m1"), **pairs}]})
    stub_cloud.add_response("/networks/n1$", {"network": {"id": "n1", "name": "net"}})
    floating = {"id": "f", "floating_ip_address": "192.0.2.7", "port_id": "p1"}
    stub_cloud.add_response("/floatingips$", {"floatingips": [floating]})
    discovered = discover(stub_cloud, addresses={}, server_groups=["g7"])
    assert [check.reason for check in discovered.checks] == [
        "not in this backup: it is in server group g7",
        "not in this backup: its floating address 192.0.2.7",
    ]
    assert discovered.spec.details["networks"][0]["allowed_address_pairs"] == [
        {"ip_address": "10.0.0.9", "mac_address": "m1"}
    ]
