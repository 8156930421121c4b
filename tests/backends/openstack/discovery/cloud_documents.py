"""A project with servers and volumes, as its services tell of it."""

from typing import Any

from tests.backends.openstack.stub_cloud import PROJECT_ID, StubCloud

FLAVOR = {
    "original_name": "tiny",
    "vcpus": 1,
    "ram": 64,
    "disk": 1,
    "ephemeral": 0,
    "swap": 0,
    "extra_specs": {},
}
MACHINE = {"hw_disk_bus": "scsi"}
_UNLIMITED = {
    "maxTotalVolumes": -1,
    "maxTotalVolumeGigabytes": -1,
    "maxTotalSnapshots": -1,
    "maxTotalBackups": -1,
    "maxTotalBackupGigabytes": -1,
}


def server_document(id_: str, *, image: str = "", **more: Any) -> dict[str, Any]:
    """Return a server as Nova tells of it; without an image it boots from a volume."""
    return {
        "id": id_,
        "name": f"name of {id_}",
        "status": "ACTIVE",
        "OS-EXT-STS:task_state": None,
        "tenant_id": PROJECT_ID,
        "image": {"id": image, "properties": MACHINE} if image else "",
        "flavor": FLAVOR,
        "addresses": {},
        "metadata": {},
        "OS-EXT-AZ:availability_zone": "nova",
        "os-extended-volumes:volumes_attached": [],
        **more,
    }


def volume_document(id_: str, *, bootable: bool = False, **more: Any) -> dict[str, Any]:
    """Return a volume as Cinder tells of it."""
    return {
        "id": id_,
        "name": f"name of {id_}",
        "status": "available",
        "size": 2,
        "bootable": str(bootable).lower(),
        "encrypted": False,
        "multiattach": False,
        "volume_type": "fast",
        "availability_zone": "nova",
        "metadata": {},
        "os-vol-tenant-attr:tenant_id": PROJECT_ID,
        **more,
    }


def serve_project(
    cloud: StubCloud,
    servers: list[dict[str, Any]] | None = None,
    volumes: list[dict[str, Any]] | None = None,
    images: list[dict[str, Any]] | None = None,
    attached: dict[str, dict[str, str]] | None = None,
    limits: dict[str, int] | None = None,
) -> None:
    """Let a cloud tell of these things, and of one flavor.

    Args:
        cloud: who tells.
        servers: of the project.
        volumes: of the project.
        images: of the project.
        attached: by server the volumes that it has, each with its device.
        limits: Cinder's, where they are not unlimited.
    """
    of_server = {
        server_id: [
            {"id": volume_id, "volumeId": volume_id, "device": device}
            for volume_id, device in devices.items()
        ]
        for server_id, devices in (attached or {}).items()
    }
    for one in servers or []:
        mine = of_server.get(one["id"], [])
        one["os-extended-volumes:volumes_attached"] = [{"id": it["id"]} for it in mine]
        cloud.add_response(f"/servers/{one['id']}$", {"server": one})
        cloud.add_response(
            f"/servers/{one['id']}/os-volume_attachments$", {"volumeAttachments": mine}
        )
    for one in volumes or []:
        cloud.add_response(f"/volumes/{one['id']}$", {"volume": one})
    cloud.add_response("/servers/detail$", {"servers": servers or []})
    cloud.add_response("/volumes/detail$", {"volumes": volumes or []})
    cloud.add_response("/image/v2/images$", {"images": images or []})
    cloud.add_response("/flavors/tiny$", {"flavor": {**FLAVOR, "id": "f1", "name": "tiny"}})
    cloud.add_response("/ports$", {"ports": []})
    absolute = {**_UNLIMITED, **(limits or {})}
    cloud.add_response("/volume/v3/limits$", {"limits": {"rate": [], "absolute": absolute}})
