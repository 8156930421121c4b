"""Looking at real folders, as the agent leaves them."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.connection import Connection
from karbor_backup_freezer.pieces import Mode, Piece, StoredPiece
from karbor_backup_freezer.stored import Measured, Place, StoredData
from karbor_backup_freezer.stored.reader import NOTES_LIMIT

HERE = socket.gethostname()


def piece(mode: Mode = Mode.CINDER, id_: str = "v") -> StoredPiece:
    return StoredPiece(piece=Piece(type="t", id=id_, mode=mode), record="r", time_stamp=1)


def measure(folder: Path, *pieces: StoredPiece, kind: str = "local", host: str = HERE) -> Any:
    options = {"local": {"path": str(folder)}, "ftp": {}, "swift": {}}
    configuration = Configuration.read({"storages": {"it": {"kind": kind, **options[kind]}}})
    data = StoredData(configuration, CloudServices(Connection(configuration)))
    place = Place(container=str(folder / "top" / "id"), backup_name="n", hostname=host)
    return data.measure(configuration.storages["it"], place, pieces)


def write(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / "top" / "id" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def notes(**values: Any) -> bytes:
    return json.dumps(values).encode()


def test_a_volume_and_a_server_in_one_visit(tmp_path: Path) -> None:
    server = f"nova/{HERE}_n/s/5/0_5"
    write(
        tmp_path,
        {
            "v/9/v": bytes(100),
            "v/9/metadata": notes(**{"x-object-meta-length": "100"}),
            f"data/{server}/data": bytes(70),
            f"data/{server}/engine_metadata": notes(length="77"),
            f"metadata/{server}/metadata": b"{}",
        },
    )
    assert measure(tmp_path, piece(Mode.NOVA, "s"), piece()) == (
        Measured(stored=70, complete=True, noted=77),
        Measured(stored=100, complete=True, noted=100),
    )


def test_notes_that_are_no_json_say_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"v/9/v": bytes(100), "v/9/metadata": b"{"})
    assert measure(tmp_path, piece()) == (Measured(stored=100, complete=True),)


@pytest.mark.parametrize(("length", "noted"), [(NOTES_LIMIT, 100), (NOTES_LIMIT + 1, None)])
def test_notes_are_read_up_to_a_limit(tmp_path: Path, length: int, noted: int | None) -> None:
    content = notes(**{"x-object-meta-length": "100"}).ljust(length)
    write(tmp_path, {"v/9/v": bytes(100), "v/9/metadata": content})
    assert measure(tmp_path, piece()) == (Measured(stored=100, complete=True, noted=noted),)


def test_every_server_of_a_project_is_looked_at(tmp_path: Path) -> None:
    folder = f"nova/{HERE}_n/a/5/0_5"
    write(
        tmp_path,
        {
            "project_p": json.dumps(["a", "b"]).encode(),
            f"data/{folder}/data": bytes(3),
            f"data/{folder}/engine_metadata": notes(length="3"),
            f"metadata/{folder}/metadata": b"{}",
        },
    )
    (seen,) = measure(tmp_path, piece(Mode.TENANT, "p"))
    assert seen.members == {
        "a": Measured(stored=3, complete=True, noted=3),
        "b": Measured(stored=0),
    }


def test_a_folder_that_is_missing_here_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "top").mkdir()
    assert measure(tmp_path, piece()) == (Measured(stored=0),)


def test_of_another_host_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "top").mkdir()
    (seen,) = measure(tmp_path, piece(), host="elsewhere")
    assert seen.stored is None
    assert "elsewhere" in seen.reason


def test_of_a_storage_that_is_not_mounted_nothing_is_said(tmp_path: Path) -> None:
    (seen,) = measure(tmp_path, piece())
    assert seen.stored is None
    assert str(tmp_path) in seen.reason


def test_of_a_folder_that_cannot_be_read_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "id").touch()
    (seen,) = measure(tmp_path, piece())
    assert seen.stored is None
    assert "Not a directory" in seen.reason


def test_of_a_kind_that_nobody_can_read_nothing_is_said(tmp_path: Path) -> None:
    (seen,) = measure(tmp_path, piece(), kind="ftp")
    assert seen == Measured(reason="what is stored on ftp is not looked at")
