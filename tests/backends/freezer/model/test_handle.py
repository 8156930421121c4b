"""Handles: written, read as they were written, and refused where they can never have been."""

import contextlib
import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import Backup, InvalidInput, Resource
from karbor_backup_freezer.model.handle import Handle
from karbor_backup_freezer.model.ids import job_id
from karbor_backup_freezer.model.items import BackupItem, Mode, StoredItem
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_openstack.resource_types import PROJECT, SERVER, VOLUME
from karbor_backup_openstack.server_spec import Attachment, ServerSpec

ID = "5f1cf6a0-7d0e-4b6e-9d57-0d6b1f1f5a10"
OTHER = "11111111-2222-4333-8444-555555555555"


def make_backup(document: dict[str, Any], kind: str = PROJECT, identifier: str = "id-1") -> Backup:
    return Backup(
        id=ID,
        resource=Resource(kind, identifier, "shop"),
        backend="freezer",
        scope="s",
        handle=document,
        storage="disk",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def make_stored_item(mode: Mode, kind: str, identifier: str) -> StoredItem:
    native = "n" if mode is Mode.NATIVE else ""
    item = BackupItem(type=kind, id=identifier, mode=mode, size=5)
    return StoredItem(item=item, record="r", time_stamp=1, native=native, stored=5)


def make_handle(*items: StoredItem, servers: tuple[ServerSpec, ...] = ()) -> Handle:
    return Handle(
        kind="local",
        container=f"/srv/karbor-backup/{ID}",
        backup_name="n%",
        hostname="far",
        client="one",
        job=job_id(ID),
        agent_version="19.0.0",
        items=items,
        servers=servers,
    )


WEB = ServerSpec(
    id="s",
    name="web",
    boots_from_volume=False,
    attachments=(Attachment(volume="v", device="/dev/vdb", included=True),),
    details={"flavor": {"name": "small", "vcpus": 1}, "networks": [{"network": "n-1"}]},
)
HANDLE = make_handle(
    make_stored_item(Mode.NOVA, SERVER, "s"),
    make_stored_item(Mode.CINDER, VOLUME, "v"),
    make_stored_item(Mode.NATIVE, VOLUME, "w"),
    servers=(WEB,),
)


def test_a_handle_is_read_as_it_was_written() -> None:
    assert Handle.from_backup(make_backup(json.loads(json.dumps(HANDLE.to_document())))) == HANDLE


def test_member_has_its_own_items_and_server_only() -> None:
    server = HANDLE.for_member({"s", "v"})
    assert [each.item.id for each in server.items] == ["s", "v"]
    assert [each.id for each in server.servers] == ["s"]
    volume = HANDLE.for_member({"w"})
    assert ([each.item.id for each in volume.items], volume.servers) == (["w"], ())
    assert Handle.from_backup(make_backup(server.to_document(), SERVER, "s")) == server
    assert Handle.from_backup(make_backup(volume.to_document(), VOLUME, "w")) == volume


def make_change(*place: str | int, to: Any) -> Callable[[dict[str, Any]], None]:
    """Return what writes another value at a place."""

    def write(document: Any) -> None:
        for step in place[:-1]:
            document = document[step]
        document[place[-1]] = to

    return write


FOREIGN = {
    "no format": make_change("format", to=None),
    "an earlier format": make_change("format", to=0),
    "a later format": make_change("format", to=2),
    "another key": make_change("more", to=1),
    "a kind that there is not": make_change("kind", to="cloud"),
    "another backup's container": make_change("container", to=f"/srv/karbor-backup/{OTHER}"),
    "the storage's root": make_change("container", to="/srv/karbor-backup"),
    "a folder of the system": make_change("container", to="/etc"),
    "a way up": make_change("container", to=f"/srv/karbor-backup/../{ID}"),
    "a relative way up": make_change("container", to=f"../../{ID}"),
    "an option beside the container": make_change(
        "container", to=f"/x\rrestore_abs_path = /\r/{ID}"
    ),
    "a section beside it": make_change("container", to=f"/x\r[storage:y]\r/{ID}"),
    "a percent sign in it": make_change("container", to=f"/x%(a)s\r/{ID}"),
    "a lone surrogate": make_change("container", to=f"/x\ud800/{ID}"),
    "a list": make_change("container", to=[f"/srv/{ID}"]),
    "an option beside the name": make_change("backup_name", to="n\rcommand = id"),
    "a template": make_change("backup_name", to="{resource_id}"),
    "no name": make_change("backup_name", to=""),
    "an option beside the host": make_change("hostname", to="far\rcommand = id"),
    "a way up in the host": make_change("hostname", to="../../far"),
    "a control character in the client": make_change("client", to="one\x1b"),
    "another backup's job": make_change("job", to=job_id(OTHER)),
    "no job": make_change("job", to=""),
    "no items": make_change("items", to=None),
    "items that are none": make_change("items", to=["s"]),
    "an item of another type": make_change("items", 0, "item", "type", to=VOLUME),
    "a mode that there is not": make_change("items", 0, "item", "mode", to="mysql"),
    "an id with a way up": make_change("items", 1, "item", "id", to="../v"),
    "an id of another type": make_change("items", 1, "item", "id", to=5),
    "a size below none": make_change("items", 1, "item", "size", to=-1),
    "a size that is a truth": make_change("items", 1, "item", "size", to=True),
    "a record that is a path": make_change("items", 1, "record", to="../jobs/1"),
    "a time beyond time": make_change("items", 1, "time_stamp", to=10**30),
    "a native of another mode": make_change("items", 1, "native", to="n"),
    "a native that is a path": make_change("items", 2, "native", to="../n"),
    "details of another type": make_change("items", 1, "item", "details", to={"metadata": []}),
    "details that nobody wrote": make_change("items", 1, "item", "details", to={"user_data": "id"}),
    "a server that is a path": make_change("servers", 0, "id", to="../s"),
    "a server without a flavor": make_change("servers", 0, "details", to={}),
    "a flavor that is none": make_change("servers", 0, "details", "flavor", to="small"),
    "a script": make_change("servers", 0, "details", "user_data", to="id"),
    "networks that are none": make_change("servers", 0, "details", "networks", to=["n-1"]),
    "a network that is a path": make_change(
        "servers", 0, "details", "networks", to=[{"network": "/"}]
    ),
    "a device that is none": make_change(
        "servers", 0, "attachments", 0, "device", to="/dev/vdb;id"
    ),
    "a volume that is not there": make_change("servers", 0, "attachments", 0, "volume", to="x"),
    "NUL in a name": make_change("servers", 0, "name", to="web\x00"),
    "a scheduler that is a path": make_change("client", to="../../etc"),
}


@pytest.mark.parametrize("alter", FOREIGN.values(), ids=FOREIGN)
def test_a_damaged_or_foreign_handle_is_refused(alter: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads(json.dumps(HANDLE.to_document()))
    alter(document)
    with pytest.raises(InvalidInput, match=f"backup {ID}: its handle"):
        Handle.from_backup(make_backup(document))


@pytest.mark.parametrize(
    ("handle", "kind", "identifier"),
    [
        (make_handle(make_stored_item(Mode.CINDER, VOLUME, "v")), VOLUME, "another"),
        (make_handle(make_stored_item(Mode.FS, DIRECTORY, "/etc")), DIRECTORY, "/srv/data"),
        (make_handle(make_stored_item(Mode.FS, DIRECTORY, "srv")), DIRECTORY, "srv"),
        (
            make_handle(make_stored_item(Mode.FS, DIRECTORY, "/srv/../etc")),
            DIRECTORY,
            "/srv/../etc",
        ),
        (make_handle(make_stored_item(Mode.TENANT, PROJECT, "p"), servers=(WEB,)), PROJECT, "q"),
        (HANDLE, SERVER, "s"),  # it holds a volume that the server does not have
        (HANDLE, VOLUME, "v"),
        (make_handle(), VOLUME, "v"),
        (
            make_handle(
                make_stored_item(Mode.CINDER, VOLUME, "v"),
                make_stored_item(Mode.CINDER, VOLUME, "v"),
            ),
            PROJECT,
            "p",
        ),
    ],
)
def test_a_handle_of_another_resource_is_refused(
    handle: Handle, kind: str, identifier: str
) -> None:
    with pytest.raises(InvalidInput, match="its handle is damaged"):
        Handle.from_backup(make_backup(handle.to_document(), kind, identifier))


@given(data=st.data())
def test_any_handle_is_read_or_refused(data: st.DataObject) -> None:
    document = json.loads(json.dumps(HANDLE.to_document()))
    place: Any = document
    while isinstance(place, dict | list) and place:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not isinstance(place[key], dict | list) or data.draw(st.booleans()):
            values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
            place[key] = data.draw(values | st.lists(values, max_size=2) | st.just({}))
            break
        place = place[key]
    before = copy.deepcopy(document)
    with contextlib.suppress(InvalidInput):
        Handle.from_backup(make_backup(document))
    assert str(document) == str(before)
