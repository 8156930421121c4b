"""What is written down of a server."""

from typing import Any

import pytest
from openstack.compute.v2.server import Server

from karbor_backup_freezer.pieces import ServerNotes
from karbor_backup_freezer.survey.servers import Servers, Surveyed
from karbor_backup_freezer.survey.volumes import find_volume
from tests.backends.freezer.answering import AnsweringCloud
from tests.backends.freezer.survey.scenes import FLAVOR, server, tell, volume


def looked_at(cloud: AnsweringCloud, **more: Any) -> Surveyed:
    body = {**server("s1", image="i1"), **more}
    if not cloud.proxy.requests:
        tell(cloud, [body])
    found: Server = cloud.services.sdk.compute.get_server("s1")
    servers = Servers(cloud.services, lambda id_: find_volume(cloud.services, id_))
    return servers.look(found, lambda _: False)


def notes(cloud: AnsweringCloud, **more: Any) -> ServerNotes:
    return looked_at(cloud, **more).notes


def port(id_: str, mac: str, network: str = "n1") -> dict[str, Any]:
    fixed = [{"subnet_id": "sub", "ip_address": f"10.0.0.{id_[-1]}"}]
    groups = {"security_groups": ["g1"]}
    return {"id": id_, "mac_address": mac, "network_id": network, "fixed_ips": fixed, **groups}


def test_what_makes_a_server_again_is_written_down(answering: AnsweringCloud) -> None:
    details = notes(
        answering,
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


def test_a_nova_of_old_leaves_the_machine_to_glance(answering: AnsweringCloud) -> None:
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
    answering.answer("/images/i1$", image)
    links = {"id": "i1", "links": [{"rel": "bookmark", "href": "x"}]}
    assert notes(answering, image=links).details["image_properties"] == {
        "hw_disk_bus": "scsi",
        "os_type": "linux",
        "hw_of_ours": "1",
        "img_config_drive": "mandatory",
    }


def test_a_machine_that_nobody_tells_of_is_in_doubt(answering: AnsweringCloud) -> None:
    seen = looked_at(answering, image={"id": "i1"})
    assert [check.name for check in seen.checks] == ["machine of server s1"]
    assert "image_properties" not in seen.notes.details


def test_a_flavor_that_has_changed_is_known_by_its_sizes_only(answering: AnsweringCloud) -> None:
    flavor = notes(answering, flavor={**FLAVOR, "ram": 128}).details["flavor"]
    assert flavor == {"name": "tiny", "vcpus": 1, "ram": 128, "disk": 1}


def test_a_flavor_that_is_gone_is_known_by_its_sizes_only(answering: AnsweringCloud) -> None:
    answering.answer("/flavors/detail$", {"flavors": []})
    answering.answer("/flavors$", {"flavors": []})
    flavor = notes(answering, flavor={**FLAVOR, "original_name": "gone"}).details["flavor"]
    assert flavor == {"name": "gone", "vcpus": 1, "ram": 64, "disk": 1}


def test_interfaces_are_in_the_servers_order(answering: AnsweringCloud) -> None:
    answering.answer("/ports$", {"ports": [port("p1", "m1"), port("p2", "m2"), port("p3", "m3")]})
    answering.answer("/networks/n1$", {"network": {"id": "n1", "name": "net"}})
    addresses = {
        "net": [
            {"addr": "10.0.0.3", "OS-EXT-IPS-MAC:mac_addr": "m3"},
            {"addr": "fe80::3", "OS-EXT-IPS-MAC:mac_addr": "m3"},
            {"addr": "10.0.0.1", "OS-EXT-IPS-MAC:mac_addr": "m1"},
        ]
    }
    networks = notes(answering, addresses=addresses).details["networks"]
    assert [network["port"] for network in networks] == ["p3", "p1", "p2"]
    assert networks[0] == {
        "network": "n1",
        "network_name": "net",
        "port": "p3",
        "mac": "m3",
        "fixed_ips": [{"subnet_id": "sub", "ip_address": "10.0.0.3"}],
        "security_groups": ["g1"],
    }
    asked = [request for request in answering.proxy.requests if request.path.endswith("/n1")]
    assert len(asked) == 1


def test_a_network_that_may_not_be_seen_has_no_name(answering: AnsweringCloud) -> None:
    answering.answer("/ports$", {"ports": [port("p1", "m1")]})
    assert "network_name" not in notes(answering).details["networks"][0]


def test_an_ephemeral_disk_is_told_to_be_missing(answering: AnsweringCloud) -> None:
    seen = looked_at(answering, flavor={**FLAVOR, "ephemeral": 5})
    assert [check.name for check in seen.checks] == ["ephemeral disk of server s1"]


@pytest.mark.parametrize(
    ("told", "bootable", "root", "checks"),
    [
        ({"OS-EXT-SRV-ATTR:root_device_name": "/dev/vdb"}, ["v1", "v2"], "v2", 0),
        ({}, ["v2"], "v2", 0),
        ({}, ["v1", "v2"], "v1", 1),
        ({}, [], "v1", 1),
    ],
)
def test_the_boot_volume_is_found(
    answering: AnsweringCloud, told: dict[str, str], bootable: list[str], root: str, checks: int
) -> None:
    tell(
        answering,
        [server("s1", **told)],
        [volume(id_, bootable=id_ in bootable) for id_ in ("v1", "v2", "v10")],
        attached={"s1": {"v10": "/dev/vdaa", "v2": "/dev/vdb", "v1": "/dev/vda"}},
    )
    found: Server = answering.services.sdk.compute.get_server("s1")
    servers = Servers(answering.services, lambda id_: find_volume(answering.services, id_))
    seen = servers.look(found, lambda _: True)
    assert seen.notes.attachments[0].volume == root
    assert seen.notes.attachments[0].boot_index == 0
    assert seen.notes.attachments[-1].volume == "v10"
    assert len(seen.checks) == checks


def test_volumes_are_not_asked_for_where_nothing_hangs_on_them(answering: AnsweringCloud) -> None:
    tell(answering, [server("s1", image="i1")], attached={"s1": {"v1": "/dev/vdb"}})
    found: Server = answering.services.sdk.compute.get_server("s1")
    servers = Servers(answering.services, lambda id_: find_volume(answering.services, id_))
    seen = servers.look(found, lambda _: False)
    assert [attachment.volume for attachment in seen.notes.attachments] == ["v1"]
    assert not [r for r in answering.proxy.requests if r.path.startswith("/volume/")]


@pytest.mark.parametrize(
    ("more", "told"),
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
def test_what_a_port_has_and_its_backup_has_not_is_named(
    answering: AnsweringCloud, more: dict[str, Any], told: str
) -> None:
    plain = {"port_security_enabled": True, "admin_state_up": True, "binding:vnic_type": "normal"}
    ports = [{**port("p1", "m1"), **plain}, {**port("p2", "m2"), **plain, **more}]
    answering.answer("/ports$", {"ports": ports})
    answering.answer("/networks/n1$", {"network": {"id": "n1", "name": "net"}})
    (check,) = looked_at(answering, addresses={}).checks
    assert (check.name, check.verified) == ("port p2 of server s1", False)
    assert check.reason == f"not in this backup: its {told}"


def test_groups_and_floating_addresses_of_a_server_are_named(answering: AnsweringCloud) -> None:
    pairs = {"allowed_address_pairs": [{"ip_address": "10.0.0.9", "mac_address": "m1"}]}
    answering.answer("/ports$", {"ports": [{**port("p1", "m1"), **pairs}]})
    answering.answer("/networks/n1$", {"network": {"id": "n1", "name": "net"}})
    floating = {"id": "f", "floating_ip_address": "192.0.2.7", "port_id": "p1"}
    answering.answer("/floatingips$", {"floatingips": [floating]})
    seen = looked_at(answering, addresses={}, server_groups=["g7"])
    assert [check.reason for check in seen.checks] == [
        "not in this backup: it is in server group g7",
        "not in this backup: its floating address 192.0.2.7",
    ]
    assert seen.notes.details["networks"][0]["allowed_address_pairs"] == [
        {"ip_address": "10.0.0.9", "mac_address": "m1"}
    ]
