"""Servers: made by Nova from the restored volumes, or from the image that the agent restored.

freezer 19.0.0 makes a server of its own from the image, without key pair, zone, addresses,
security groups, metadata or volumes, of which most cannot be given later. So that one is removed
and every server is made here, in one way.
"""

from collections.abc import Mapping
from typing import Any

from karbor_backup_core import BackendError, Resource, Transient
from karbor_backup_freezer.cloud.faults import NotFound, asking
from karbor_backup_freezer.cloud.lookups import flavor_for
from karbor_backup_freezer.cloud.things import Kind, is_busy
from karbor_backup_freezer.pieces import ServerNotes
from karbor_backup_freezer.rebuild import networks, server_images
from karbor_backup_freezer.rebuild.creation import keep_if_alone
from karbor_backup_freezer.rebuild.names import is_marked, marks, restored_name
from karbor_backup_freezer.rebuild.notes import WAITING, Standing
from karbor_backup_freezer.rebuild.site import Site
from karbor_backup_freezer.resources import SERVER
from karbor_backup_freezer.survey.notes import own_metadata


def advance(site: Site, notes: ServerNotes, volumes: Mapping[str, Standing]) -> Standing:
    """Bring one server of the backup nearer to what its source was.

    Args:
        site: what the step has before it.
        notes: the server, as it was.
        volumes: how the backup's volumes stand, by their sources' ids.
    """
    included = [attachment for attachment in notes.attachments if attachment.included]
    standings = {attachment.volume: volumes[attachment.volume] for attachment in included}
    for source, standing in standings.items():
        if standing.failure:
            return Standing(failure=f"its volume {source} was not restored: {standing.failure}")
    if any(standing.waits for standing in standings.values()):
        return WAITING
    server = _find(site, notes)
    if server is None and notes.id in site.notes.servers:
        return Standing(failure=f"server {site.notes.servers[notes.id]}, made of it, is gone")
    if server is None:
        return _make(site, notes, standings)
    site.notes.servers[notes.id] = server.id
    if is_busy(Kind.SERVER, server):
        site.notes.wait(Kind.SERVER, server.id)
        return WAITING
    if server.status != "ACTIVE":
        return _broken(site, notes, server)
    networks.settle(site, notes, server)
    _let_volumes_go_with_it(site, notes, server)
    _doubt_what_is_not_there(site, notes, server)
    return Standing(restored=Resource(SERVER, server.id, server.name))


def _find(site: Site, notes: ServerNotes) -> Any | None:
    noted = site.notes.servers.get(notes.id)
    if noted is not None:
        server = site.things.get(Kind.SERVER, noted)
        own = server is not None and is_marked(server.metadata, site.operation, notes.id)
        return server if own else None
    marked = (s for s in site.servers if is_marked(s.metadata, site.operation, notes.id))
    return next(marked, None)


def _make(site: Site, notes: ServerNotes, volumes: Mapping[str, Standing]) -> Standing:
    image = None
    if not notes.boots_from_volume:
        image, failure = server_images.find(site, notes)
        if failure:
            return Standing(failure=failure)
        if server_images.agent_is_there(site, image):
            return WAITING
        server_images.give_properties(site, notes, image)
    sdk: Any = site.services.sdk
    try:
        body = _body(site, notes, image, volumes)
        with asking(f"Nova for a new server like {notes.id}"):
            server = sdk.compute.create_server(**body)
    except Transient:
        raise
    except (BackendError, NotFound) as error:
        if networks.is_blamed(notes, str(error)) and networks.give_up_addresses(site, notes):
            return _make(site, notes, volumes)
        return Standing(failure=str(error))
    keep_if_alone(site, Kind.SERVER, server, notes.id)
    site.notes.servers[notes.id] = server.id
    site.notes.wait(Kind.SERVER, server.id)
    return WAITING


def _body(
    site: Site, notes: ServerNotes, image: Any | None, volumes: Mapping[str, Standing]
) -> dict[str, Any]:
    details = notes.details
    wanted = networks.interfaces(site, notes)
    source = Resource(SERVER, notes.id, notes.name)
    body = {
        "name": restored_name(site.operation, source) or notes.id,
        "flavor_id": _flavor(site, notes),
        "image_id": image.id if image is not None else None,
        "networks": networks.requested(site, notes, wanted),
        "security_groups": networks.first_groups(wanted),
        "block_device_mapping": _devices(notes, image, volumes),
        "metadata": {
            **own_metadata(details.get("metadata")),
            **marks(site.operation, notes.id),
        },
        "description": details.get("description"),
        "key_name": _key(site, notes),
        "availability_zone": details.get("availability_zone"),
        "config_drive": details.get("config_drive"),
        "tags": details.get("tags"),
    }
    return {key: value for key, value in body.items() if value}


def _flavor(site: Site, notes: ServerNotes) -> str:
    flavor = flavor_for(site.services, notes.details["flavor"])
    if flavor is None:
        raise BackendError(f"its flavor {notes.details['flavor']['name']!r} is not there")
    return str(flavor.id)


def _key(site: Site, notes: ServerNotes) -> str | None:
    """The key pair's name, None where the user who restores has none of that name."""
    name: str | None = notes.details.get("key_name")
    if not name:
        return None
    sdk: Any = site.services.sdk
    with asking(f"Nova for key pair {name}"):
        found = sdk.compute.find_keypair(name, ignore_missing=True)
    if found is None:
        site.notes.doubts[f"key pair of server {notes.id}"] = (
            f"the user who restores it has no key pair {name!r}"
        )
    return name if found is not None else None


def _devices(
    notes: ServerNotes, image: Any | None, volumes: Mapping[str, Standing]
) -> list[dict[str, Any]]:
    """What the server is to have as disks, in the order of the source's."""
    devices: list[dict[str, Any]] = []
    included = [attachment for attachment in notes.attachments if attachment.included]
    if image is not None and included:
        devices.append(
            {
                "boot_index": 0,
                "source_type": "image",
                "destination_type": "local",
                "uuid": image.id,
                "delete_on_termination": True,
            }
        )
    for attachment in included:
        restored = volumes[attachment.volume].restored
        device: dict[str, Any] = {
            "boot_index": attachment.boot_index,
            "source_type": "volume",
            "destination_type": "volume",
            "uuid": restored.id if restored else "",
            "delete_on_termination": False,
        }
        if attachment.device:
            device["device_name"] = attachment.device
        devices.append(device)
    return devices


def _broken(site: Site, notes: ServerNotes, server: Any) -> Standing:
    """Answer for a server that Nova could not start.

    That one of its addresses is taken by a port that these credentials may not see is found out by
    Nova only then, and not told; so once it is tried without them.
    """
    if networks.give_up_addresses(site, notes):
        removal = site.things.remove(Kind.SERVER, [server])
        if removal.pending:
            del site.notes.servers[notes.id]
            site.notes.wait(Kind.SERVER, server.id, gone=True)
            return WAITING
    fault = (server.fault or {}).get("message", "no reason given")
    return Standing(failure=f"Nova put the new server {server.id} in {server.status}: {fault}")


def _let_volumes_go_with_it(site: Site, notes: ServerNotes, server: Any) -> None:
    """Have Nova remove with the server the volumes that it removed with the source.

    Not before it is whole: removing a broken server would take the restored data along.
    """
    present = {one.id: one.delete_on_termination for one in server.attached_volumes or ()}
    compute: Any = site.services.sdk.compute
    for attachment in notes.attachments:
        volume = site.notes.volumes.get(attachment.volume, "")
        if not attachment.delete_on_termination or present.get(volume) is not False:
            continue
        try:
            with asking(f"Nova to remove volume {volume} with server {server.id}"):
                compute.update_volume_attachment(
                    server.id, volume, volume_id=volume, delete_on_termination=True
                )
        except Transient:
            raise
        except (BackendError, NotFound) as error:
            site.notes.doubts[f"removal of volume {volume} with its server"] = str(error)


def _doubt_what_is_not_there(site: Site, notes: ServerNotes, server: Any) -> None:
    """Note which volumes the server had that the backup does not hold."""
    missing = [attachment.volume for attachment in notes.attachments if not attachment.included]
    if missing:
        site.notes.doubts[f"volumes of server {server.id}"] = (
            f"its source had volumes that this backup does not hold: {', '.join(missing)}"
        )
