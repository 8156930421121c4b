"""Looking at real folders, as the agent leaves them."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.inspection import BackupLocation, DataInspector, Measurement
from karbor_backup_freezer.inspection.reader import METADATA_LIMIT
from karbor_backup_freezer.model.items import BackupItem, Mode, StoredItem
from karbor_backup_openstack.connection import Connection
from karbor_backup_openstack.services import CloudServices

HERE = socket.gethostname()


def make_stored_item(mode: Mode = Mode.CINDER, id_: str = "v") -> StoredItem:
    return StoredItem(item=BackupItem(type="t", id=id_, mode=mode), record="r", time_stamp=1)


def inspect_folder(folder: Path, *items: StoredItem, kind: str = "local", host: str = HERE) -> Any:
    options = {"local": {"path": str(folder)}, "ftp": {}, "swift": {}}
    configuration = Configuration.from_document(
        {"storages": {"it": {"kind": kind, **options[kind]}}}
    )
    data = DataInspector(configuration, CloudServices(Connection(configuration)))
    location = BackupLocation(container=str(folder / "top" / "id"), backup_name="n", hostname=host)
    return data.inspect(configuration.storages["it"], location, items)


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / "top" / "id" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def metadata_document(**values: Any) -> bytes:
    return json.dumps(values).encode()


def test_volume_and_server_are_read_in_one_call(tmp_path: Path) -> None:
    server = f"nova/{HERE}_n/s/5/0_5"
    write_files(
        tmp_path,
        {
            "v/9/v": bytes(100),
            "v/9/metadata": metadata_document(**{"x-object-meta-length": "100"}),
            f"data/{server}/data": bytes(70),
            f"data/{server}/engine_metadata": metadata_document(length="77"),
            f"metadata/{server}/metadata": b"{}",
        },
    )
    assert inspect_folder(tmp_path, make_stored_item(Mode.NOVA, "s"), make_stored_item()) == (
        Measurement(stored=70, complete=True, noted=77),
        Measurement(stored=100, complete=True, noted=100),
    )


def test_metadata_without_json_is_ignored(tmp_path: Path) -> None:
    write_files(tmp_path, {"v/9/v": bytes(100), "v/9/metadata": b"{"})
    assert inspect_folder(tmp_path, make_stored_item()) == (Measurement(stored=100, complete=True),)


@pytest.mark.parametrize(("length", "noted"), [(METADATA_LIMIT, 100), (METADATA_LIMIT + 1, None)])
def test_metadata_is_read_up_to_a_limit(tmp_path: Path, length: int, noted: int | None) -> None:
    content = metadata_document(**{"x-object-meta-length": "100"}).ljust(length)
    write_files(tmp_path, {"v/9/v": bytes(100), "v/9/metadata": content})
    assert inspect_folder(tmp_path, make_stored_item()) == (
        Measurement(stored=100, complete=True, noted=noted),
    )


def test_every_server_of_a_project_is_inspected(tmp_path: Path) -> None:
    folder = f"nova/{HERE}_n/a/5/0_5"
    write_files(
        tmp_path,
        {
            "project_p": json.dumps(["a", "b"]).encode(),
            f"data/{folder}/data": bytes(3),
            f"data/{folder}/engine_metadata": metadata_document(length="3"),
            f"metadata/{folder}/metadata": b"{}",
        },
    )
    (measurement,) = inspect_folder(tmp_path, make_stored_item(Mode.TENANT, "p"))
    assert measurement.members == {
        "a": Measurement(stored=3, complete=True, noted=3),
        "b": Measurement(stored=0),
    }


def test_missing_folder_of_this_host_has_no_data(tmp_path: Path) -> None:
    (tmp_path / "top").mkdir()
    assert inspect_folder(tmp_path, make_stored_item()) == (Measurement(stored=0),)


def test_folder_of_another_host_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "top").mkdir()
    (measurement,) = inspect_folder(tmp_path, make_stored_item(), host="elsewhere")
    assert measurement.stored is None
    assert "elsewhere" in measurement.reason


def test_unmounted_storage_is_unreachable(tmp_path: Path) -> None:
    (measurement,) = inspect_folder(tmp_path, make_stored_item())
    assert measurement.stored is None
    assert str(tmp_path) in measurement.reason


def test_unreadable_folder_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "id").touch()
    (measurement,) = inspect_folder(tmp_path, make_stored_item())
    assert measurement.stored is None
    assert "Not a directory" in measurement.reason


def test_unsupported_storage_kind_is_unreachable(tmp_path: Path) -> None:
    (measurement,) = inspect_folder(tmp_path, make_stored_item(), kind="ftp")
    assert measurement == Measurement(reason="what is stored on ftp is not looked at")
