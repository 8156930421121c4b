"""Cinder's part, as far as it is asked: https://docs.openstack.org/api-ref/block-storage/v3/."""

from typing import Any, Final

from werkzeug.exceptions import BadRequest, NotFound

from tests.support.scripted_cloud import block_storage, images, volume_backups
from tests.support.scripted_cloud.api_call import ApiCall, Routes
from tests.support.scripted_cloud.state import ZONE, FakeResource

_HIDDEN: Final = frozenset({"parent", "volume_image", "volume_metadata"})

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


def _to_document(thing: FakeResource) -> dict[str, Any]:
    return {key: value for key, value in thing.shown.items() if key not in _HIDDEN}


def _volumes(call: ApiCall) -> Any:
    return {"volumes": [_to_document(each) for each in call.list_visible(call.state.volumes)]}


def _volume(call: ApiCall, volume: str) -> Any:
    return {"volume": _to_document(call.state.volumes.get(volume, call.visible_project))}


def _new_volume(call: ApiCall) -> Any:
    with call.state.next_work() as planned:
        volume = block_storage.new_volume(call.state, call.project, call.read_body("volume"))
        if planned.fails:
            call.state.schedule_status(volume, "error")
    return 202, {"volume": _to_document(volume)}


def _change_volume(call: ApiCall, volume: str) -> Any:
    resource = call.state.volumes.get(volume, call.visible_project)
    asked = call.read_body("volume")
    resource.shown.update({k: asked[k] for k in ("name", "description", "metadata") if k in asked})
    return {"volume": _to_document(resource)}


def _delete_volume(call: ApiCall, volume: str) -> Any:
    block_storage.delete_volume(call.state, call.state.volumes.get(volume, call.visible_project))
    return 202, None


def _metadata(call: ApiCall, volume: str) -> Any:
    return {"metadata": call.state.volumes.get(volume, call.visible_project).shown["metadata"]}


def _change_metadata(call: ApiCall, volume: str) -> Any:
    kept = call.state.volumes.get(volume, call.visible_project).shown["metadata"]
    if call.request.method == "PUT":
        kept.clear()
    kept.update(call.read_body("metadata"))
    return {"metadata": kept}


def _delete_metadata(call: ApiCall, volume: str, key: str) -> Any:
    kept = call.state.volumes.get(volume, call.visible_project).shown["metadata"]
    if key not in kept:
        raise NotFound(f"Metadata key {key} not found.")
    del kept[key]
    return None


def _run_volume_action(call: ApiCall, volume: str) -> Any:
    resource = call.state.volumes.get(volume, call.visible_project)
    match call.read_action():
        case "os-set_bootable", asked:
            resource.shown["bootable"] = "true" if asked["bootable"] else "false"
        case "os-set_image_metadata", asked:
            kept = resource.shown.setdefault("volume_image_metadata", {})
            kept.update(asked["metadata"])
            return {"metadata": kept}
        case "os-unset_image_metadata", asked:
            resource.shown.get("volume_image_metadata", {}).pop(asked["key"], None)
        case "os-retype", asked:
            block_storage.retype(call.state, resource, asked["new_type"])
            return 202, None
        case "os-volume_upload_image", asked:
            image = images.upload_volume(call.state, call.project, resource, asked)
            answer = {**_to_document(resource), "image_id": image.id, "image_name": image.name}
            return 202, {"os-volume_upload_image": answer}
        case "os-force_delete", _:
            block_storage.delete_volume(call.state, resource, force=True)
            return 202, None
        case name, _:
            raise BadRequest(f"There is no such action: {name}")
    return None


def _snapshots(call: ApiCall) -> Any:
    return {"snapshots": [_to_document(each) for each in call.list_visible(call.state.snapshots)]}


def _snapshot(call: ApiCall, snapshot: str) -> Any:
    return {"snapshot": _to_document(call.state.snapshots.get(snapshot, call.visible_project))}


def _new_snapshot(call: ApiCall) -> Any:
    snapshot = block_storage.new_snapshot(call.state, call.project, call.read_body("snapshot"))
    return 202, {"snapshot": _to_document(snapshot)}


def _delete_snapshot(call: ApiCall, snapshot: str) -> Any:
    block_storage.delete_snapshot(
        call.state, call.state.snapshots.get(snapshot, call.visible_project)
    )
    return 202, None


def _backup_document(call: ApiCall, backup: FakeResource) -> dict[str, Any]:
    dependents = volume_backups.has_dependents(call.state, backup)
    return {**_to_document(backup), "has_dependent_backups": dependents}


def _backups(call: ApiCall) -> Any:
    found = call.list_visible(call.state.backups)
    return {"backups": [_backup_document(call, each) for each in found]}


def _backup(call: ApiCall, backup: str) -> Any:
    found = call.state.backups.get(backup, call.visible_project)
    return {"backup": _backup_document(call, found)}


def _new_backup(call: ApiCall) -> Any:
    backup = volume_backups.new_backup(call.state, call.project, call.read_body("backup"))
    return 202, {"backup": {"id": backup.id, "name": backup.name}}


def _restore_backup(call: ApiCall, backup: str) -> Any:
    resource = call.state.backups.get(backup, call.visible_project)
    volume = volume_backups.restore_backup(
        call.state, call.project, resource, call.read_body("restore")
    )
    answer = {"backup_id": resource.id, "volume_id": volume.id, "volume_name": volume.name}
    return 202, {"restore": answer}


def _delete_backup(call: ApiCall, backup: str) -> Any:
    volume_backups.delete_backup(call.state, call.state.backups.get(backup, call.visible_project))
    return 202, None


def _types(call: ApiCall) -> Any:
    return {"volume_types": [each.shown for each in call.list_visible(call.state.types)]}


def _type(call: ApiCall, kind: str) -> Any:
    return {"volume_type": call.state.types.get(kind, call.visible_project).shown}


def _encryption(call: ApiCall, kind: str) -> Any:
    return call.state.types.get(kind, call.visible_project).shown["encryption"]


def _zones(_call: ApiCall) -> Any:
    return {"availabilityZoneInfo": [{"zoneName": ZONE, "zoneState": {"available": True}}]}


def _limits(call: ApiCall) -> Any:
    volumes = call.state.volumes.visible_to(call.project)
    absolute = {
        "maxTotalVolumes": 1000,
        "maxTotalVolumeGigabytes": 1000,
        "maxTotalSnapshots": 1000,
        "maxTotalBackups": 1000,
        "maxTotalBackupGigabytes": 1000,
        "totalVolumesUsed": len(volumes),
        "totalGigabytesUsed": sum(each.shown["size"] for each in volumes),
        "totalSnapshotsUsed": len(call.state.snapshots.visible_to(call.project)),
        "totalBackupsUsed": len(call.state.backups.visible_to(call.project)),
        "totalBackupGigabytesUsed": 0,
    }
    return {"limits": {"rate": [], "absolute": absolute}}


def _quotas(_call: ApiCall, project: str) -> Any:
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
    ("POST", "/volumes/<volume>/action", _run_volume_action),
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
