"""Cinder's part, as far as it is asked: https://docs.openstack.org/api-ref/block-storage/v3/."""

from typing import Any, Final

from werkzeug.exceptions import BadRequest, NotFound

from sandbox.scripted_cloud import disks, images
from sandbox.scripted_cloud.calls import Call, Routes
from sandbox.scripted_cloud.world import ZONE, Thing

_HIDDEN: Final = frozenset({"volume_image", "volume_metadata"})

VERSIONS: Final = {
    "versions": [
        {
            "id": "v3.0",
            "status": "CURRENT",
            "version": "3.71",
            "min_version": "3.0",
            "updated": "2023-08-31T00:00:00Z",
            "links": [{"rel": "self", "href": "{url}/v3/"}],
        }
    ]
}
"""What it says of its versions, where ``{url}`` is its address."""


def _shown(thing: Thing) -> dict[str, Any]:
    return {key: value for key, value in thing.shown.items() if key not in _HIDDEN}


def _volumes(call: Call) -> Any:
    return {"volumes": [_shown(each) for each in call.listed(call.world.volumes)]}


def _volume(call: Call, volume: str) -> Any:
    return {"volume": _shown(call.world.volumes.get(volume, call.viewer))}


def _new_volume(call: Call) -> Any:
    made = disks.new_volume(call.world, call.project, call.body("volume"))
    return 202, {"volume": _shown(made)}


def _change_volume(call: Call, volume: str) -> Any:
    found = call.world.volumes.get(volume, call.viewer)
    asked = call.body("volume")
    found.shown.update({k: asked[k] for k in ("name", "description", "metadata") if k in asked})
    return {"volume": _shown(found)}


def _delete_volume(call: Call, volume: str) -> Any:
    disks.delete_volume(call.world, call.world.volumes.get(volume, call.viewer))
    return 202, None


def _metadata(call: Call, volume: str) -> Any:
    return {"metadata": call.world.volumes.get(volume, call.viewer).shown["metadata"]}


def _change_metadata(call: Call, volume: str) -> Any:
    kept = call.world.volumes.get(volume, call.viewer).shown["metadata"]
    if call.request.method == "PUT":
        kept.clear()
    kept.update(call.body("metadata"))
    return {"metadata": kept}


def _delete_metadata(call: Call, volume: str, key: str) -> Any:
    kept = call.world.volumes.get(volume, call.viewer).shown["metadata"]
    if key not in kept:
        raise NotFound(f"Metadata key {key} not found.")
    del kept[key]
    return None


def _act(call: Call, volume: str) -> Any:
    found = call.world.volumes.get(volume, call.viewer)
    match call.action():
        case "os-set_bootable", asked:
            found.shown["bootable"] = "true" if asked["bootable"] else "false"
        case "os-set_image_metadata", asked:
            kept = found.shown.setdefault("volume_image_metadata", {})
            kept.update(asked["metadata"])
            return {"metadata": kept}
        case "os-unset_image_metadata", asked:
            found.shown.get("volume_image_metadata", {}).pop(asked["key"], None)
        case "os-retype", asked:
            disks.retype(call.world, found, asked["new_type"])
            return 202, None
        case "os-volume_upload_image", asked:
            image = images.upload(call.world, call.project, found, asked)
            answer = {**_shown(found), "image_id": image.id, "image_name": image.name}
            return 202, {"os-volume_upload_image": answer}
        case "os-force_delete", _:
            disks.delete_volume(call.world, found, force=True)
            return 202, None
        case name, _:
            raise BadRequest(f"There is no such action: {name}")
    return None


def _snapshots(call: Call) -> Any:
    return {"snapshots": [_shown(each) for each in call.listed(call.world.snapshots)]}


def _snapshot(call: Call, snapshot: str) -> Any:
    return {"snapshot": _shown(call.world.snapshots.get(snapshot, call.viewer))}


def _new_snapshot(call: Call) -> Any:
    made = disks.new_snapshot(call.world, call.project, call.body("snapshot"))
    return 202, {"snapshot": _shown(made)}


def _delete_snapshot(call: Call, snapshot: str) -> Any:
    disks.delete_snapshot(call.world, call.world.snapshots.get(snapshot, call.viewer))
    return 202, None


def _backups(call: Call) -> Any:
    return {"backups": [_shown(each) for each in call.listed(call.world.backups)]}


def _backup(call: Call, backup: str) -> Any:
    return {"backup": _shown(call.world.backups.get(backup, call.viewer))}


def _new_backup(call: Call) -> Any:
    made = disks.new_backup(call.world, call.project, call.body("backup"))
    return 202, {"backup": {"id": made.id, "name": made.name}}


def _restore_backup(call: Call, backup: str) -> Any:
    found = call.world.backups.get(backup, call.viewer)
    volume = disks.restore_backup(call.world, call.project, found, call.body("restore"))
    answer = {"backup_id": found.id, "volume_id": volume.id, "volume_name": volume.name}
    return 202, {"restore": answer}


def _delete_backup(call: Call, backup: str) -> Any:
    disks.delete_backup(call.world, call.world.backups.get(backup, call.viewer))
    return 202, None


def _types(call: Call) -> Any:
    return {"volume_types": [each.shown for each in call.listed(call.world.types)]}


def _type(call: Call, kind: str) -> Any:
    return {"volume_type": call.world.types.get(kind, call.viewer).shown}


def _encryption(call: Call, kind: str) -> Any:
    return call.world.types.get(kind, call.viewer).shown["encryption"]


def _zones(_call: Call) -> Any:
    return {"availabilityZoneInfo": [{"zoneName": ZONE, "zoneState": {"available": True}}]}


def _limits(call: Call) -> Any:
    volumes = call.world.volumes.seen_by(call.project)
    absolute = {
        "maxTotalVolumes": 1000,
        "maxTotalVolumeGigabytes": 1000,
        "maxTotalSnapshots": 1000,
        "maxTotalBackups": 1000,
        "maxTotalBackupGigabytes": 1000,
        "totalVolumesUsed": len(volumes),
        "totalGigabytesUsed": sum(each.shown["size"] for each in volumes),
        "totalSnapshotsUsed": len(call.world.snapshots.seen_by(call.project)),
        "totalBackupsUsed": len(call.world.backups.seen_by(call.project)),
        "totalBackupGigabytesUsed": 0,
    }
    return {"limits": {"rate": [], "absolute": absolute}}


def _quotas(_call: Call, project: str) -> Any:
    plenty = {"limit": 1000, "in_use": 0, "reserved": 0}
    names = ("volumes", "gigabytes", "snapshots", "backups", "backup_gigabytes")
    endless = {"per_volume_gigabytes": {**plenty, "limit": -1}}
    return {"quota_set": {"id": project, **dict.fromkeys(names, plenty), **endless}}


ROUTES: Final[Routes] = (
    ("GET", "/volumes", _volumes),
    ("GET", "/volumes/detail", _volumes),
    ("POST", "/volumes", _new_volume),
    ("GET", "/volumes/<volume>", _volume),
    ("PUT", "/volumes/<volume>", _change_volume),
    ("DELETE", "/volumes/<volume>", _delete_volume),
    ("POST", "/volumes/<volume>/action", _act),
    ("GET", "/volumes/<volume>/metadata", _metadata),
    ("POST", "/volumes/<volume>/metadata", _change_metadata),
    ("PUT", "/volumes/<volume>/metadata", _change_metadata),
    ("DELETE", "/volumes/<volume>/metadata/<key>", _delete_metadata),
    ("GET", "/snapshots", _snapshots),
    ("GET", "/snapshots/detail", _snapshots),
    ("POST", "/snapshots", _new_snapshot),
    ("GET", "/snapshots/<snapshot>", _snapshot),
    ("DELETE", "/snapshots/<snapshot>", _delete_snapshot),
    ("GET", "/backups", _backups),
    ("GET", "/backups/detail", _backups),
    ("POST", "/backups", _new_backup),
    ("GET", "/backups/<backup>", _backup),
    ("POST", "/backups/<backup>/restore", _restore_backup),
    ("DELETE", "/backups/<backup>", _delete_backup),
    ("GET", "/types", _types),
    ("GET", "/types/<kind>", _type),
    ("GET", "/types/<kind>/encryption", _encryption),
    ("GET", "/os-availability-zone", _zones),
    ("GET", "/limits", _limits),
    ("GET", "/os-quota-sets/<project>", _quotas),
)
