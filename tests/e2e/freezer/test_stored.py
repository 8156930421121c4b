"""Looking at what a real agent has stored, on the real servers of each kind of storage."""

import gzip
import io
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import attrs
import pytest
from keystoneauth1.adapter import Adapter
from minio import Minio

from karbor_backup_core import Backup, Secret
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.inspection import BackupLocation, DataInspector, Measurement
from karbor_backup_freezer.inspection.reader import METADATA_LIMIT
from karbor_backup_freezer.model.handle import Handle
from karbor_backup_freezer.model.items import BackupItem, Mode, StoredItem
from karbor_backup_freezer.model.storages import StorageKind
from karbor_backup_openstack.connection import Connection
from karbor_backup_openstack.services import CloudServices
from sandbox import Sandbox
from tests.e2e.freezer.harness import FreezerHarness, protect_directory
from tests.support.schedulers import CLOUD, own_scheduler

DIRECTORY = "Freezer::FileSystem::Directory"
SIZE = 300_000
NOWHERE = "http://127.0.0.1:1"


def _ssh(sandbox: Sandbox) -> dict[str, Any]:
    ssh = sandbox.ssh
    login = {"host": ssh.host, "port": ssh.port, "username": ssh.user, "key": str(ssh.key)}
    return {"kind": "ssh", "path": str(ssh.directory), **login}


def _swift(sandbox: Sandbox) -> dict[str, Any]:
    assert sandbox.swift
    return {"kind": "swift"}


def _s3(sandbox: Sandbox) -> dict[str, Any]:
    keys = {"access_key": sandbox.s3.access_key, "secret_key": sandbox.s3.secret_key}
    wrapped = {name: Secret(value) for name, value in keys.items()}
    return {"kind": "s3", "endpoint": sandbox.s3.endpoint, **wrapped}


SETTINGS: dict[StorageKind, Callable[[Any], dict[str, Any]]] = {
    StorageKind.SSH: _ssh,
    StorageKind.SWIFT: _swift,
    StorageKind.S3: _s3,
}


@pytest.fixture
def scheduler(harness: FreezerHarness) -> Iterator[str]:
    with own_scheduler(harness.sandbox, harness.top) as client_id:
        yield client_id


@pytest.fixture
def known(harness: FreezerHarness, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file that makes the user know the key of the sandbox's SSH server."""
    ssh = harness.sandbox.ssh
    kind, key = ssh.key.with_name("host_key.pub").read_text().split()[:2]
    file = tmp_path / "home" / ".ssh" / "known_hosts"
    file.parent.mkdir(parents=True)
    file.write_text(f"[{ssh.host}]:{ssh.port} {kind} {key}\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return file


@attrs.frozen
class StoredBackup:
    """A directory's backup, and the way to look at it."""

    harness: FreezerHarness
    settings: dict[str, Any]
    scheduler: str

    def configuration(self, **changed: Any) -> dict[str, Any]:
        storage = {**self.settings, **changed}
        return {"cloud": CLOUD, "scheduler": self.scheduler, "storages": {"it": storage}}

    def protect(self) -> Backup:
        runner = self.harness.runner(**self.configuration())
        backup: Backup = protect_directory(runner, self.harness.tree(content=b"x" * SIZE))
        return backup

    def measure(self, handle: Handle, **changed: Any) -> Measurement:
        """Look at a directory's backup."""
        place = BackupLocation(
            container=handle.container,
            backup_name=handle.backup_name,
            hostname=handle.hostname,
        )
        return self.inspect_item(
            place, BackupItem(type=DIRECTORY, id="/any", mode=Mode.FS), **changed
        )

    def inspect_item(self, place: BackupLocation, item: BackupItem, **changed: Any) -> Measurement:
        """Look at one item, with a storage whose options are changed."""
        document = self.harness.configuration(**self.configuration(**changed))
        configuration = Configuration.from_document(document)
        data = DataInspector(configuration, CloudServices(Connection(configuration)))
        stored = StoredItem(item=item, record="any", time_stamp=0)
        (measurement,) = data.inspect(configuration.storages["it"], place, [stored])
        return measurement


def test_ssh_storage_is_inspected(harness: FreezerHarness, scheduler: str, known: Path) -> None:
    stored = StoredBackup(harness, SETTINGS[StorageKind.SSH](harness.sandbox), scheduler)
    backup = stored.protect()
    handle = Handle.from_backup(backup)
    measurement = stored.measure(handle)
    assert measurement.complete
    assert measurement.stored == _on_disk(Path(handle.container))

    gone = attrs.evolve(handle, container=f"{handle.container}-gone")
    assert stored.measure(gone) == Measurement(stored=0)
    assert "No such file" in stored.measure(handle, key="/nowhere/key").reason
    assert (
        "shows no folder"
        in stored.measure(attrs.evolve(handle, container="/nowhere/at/all")).reason
    )

    known.write_text("")
    assert "not found in known_hosts" in stored.measure(handle).reason


def _on_disk(folder: Path) -> int:
    (data,) = folder.rglob("data/tar/*/*/*/data")
    return data.stat().st_size


def test_swift_storage_is_inspected(harness: FreezerHarness, scheduler: str) -> None:
    stored = StoredBackup(harness, SETTINGS[StorageKind.SWIFT](harness.sandbox), scheduler)
    backup = stored.protect()
    handle = Handle.from_backup(backup)
    measurement = stored.measure(handle)
    assert measurement.complete
    assert measurement.stored
    assert 0 < measurement.stored < SIZE

    gone = attrs.evolve(handle, container=f"{handle.container}-gone")
    assert stored.measure(gone) == Measurement(stored=0)
    elsewhere = attrs.evolve(handle, container=f"nobodys/{backup.id}")
    assert "account of its own project" in stored.measure(elsewhere).reason


def test_volume_on_swift_is_measured_by_its_segments(harness: FreezerHarness) -> None:
    """Written as the agent's ``add_stream`` does; ``tests/e2e/cloud`` has the agent do it."""
    stored = StoredBackup(harness, SETTINGS[StorageKind.SWIFT](harness.sandbox), "any")
    swift = Adapter(harness.sandbox.session(CLOUD), service_type="object-store")
    folder = f"{harness.top}/an id?/{harness.top}/an id?_segments/v/9"
    headers = {"X-Object-Manifest": quote(folder), "X-Object-Meta-Length": str(SIZE)}
    for path, content, more in (
        (harness.top, b"", {}),
        (f"{folder}/segments/00000000", b"x" * (SIZE - 1), {}),
        (f"{folder}/segments/00000001", b"x", {}),
        (f"{folder}/9", b"", headers),
    ):
        swift.put(quote(f"/{path}"), data=content, headers=more)
    volume = BackupItem(type="OS::Cinder::Volume", id="v", mode=Mode.CINDER)
    place = BackupLocation(container=f"{harness.top}/an id?", backup_name="n", hostname="vm")
    assert stored.inspect_item(place, volume) == Measurement(stored=SIZE, complete=True, noted=SIZE)


def test_s3_storage_is_inspected(harness: FreezerHarness) -> None:
    """The agent stores nothing there that is whole, so the test does it."""
    s3 = harness.sandbox.s3
    bucket = Minio(
        urlsplit(s3.endpoint).netloc,
        access_key=s3.access_key,
        secret_key=s3.secret_key,
        secure=False,
    )
    bucket.make_bucket(harness.top)
    for name, content in {
        "id/v/9/v": b"x" * SIZE,
        "id/v/9/metadata": json.dumps({"x-object-meta-length": str(SIZE)}).encode(),
    }.items():
        bucket.put_object(harness.top, name, io.BytesIO(content), len(content))
    stored = StoredBackup(harness, SETTINGS[StorageKind.S3](harness.sandbox), "any")
    volume = BackupItem(type="OS::Cinder::Volume", id="v", mode=Mode.CINDER)
    place = BackupLocation(container=f"{harness.top}/id", backup_name="n", hostname="vm")
    assert stored.inspect_item(place, volume) == Measurement(stored=SIZE, complete=True, noted=SIZE)

    other = attrs.evolve(place, container=f"{harness.top}/other")
    assert stored.inspect_item(other, volume) == Measurement(stored=0)
    wrong = stored.inspect_item(place, volume, secret_key=Secret("wrong")).reason
    assert "SignatureDoesNotMatch" in wrong
    assert "cannot be reached" in stored.inspect_item(place, volume, endpoint=NOWHERE).reason
    assert s3.secret_key not in wrong


LONG_NOTES = json.dumps({"x-object-meta-length": str(SIZE)}).encode().ljust(METADATA_LIMIT + 1)
VOLUME_PIECE = BackupItem(type="OS::Cinder::Volume", id="v", mode=Mode.CINDER)
UNREAD = Measurement(stored=3, complete=True)
"""Data of three bytes with notes that are there, and that were not read."""


@pytest.mark.usefixtures("known")
def test_ssh_reads_neither_long_metadata_nor_links_nor_pipes(
    harness: FreezerHarness, tmp_path: Path
) -> None:
    stored = StoredBackup(harness, SETTINGS[StorageKind.SSH](harness.sandbox), "any")
    top = harness.sandbox.ssh.directory / "special"
    outside = tmp_path / "outside"
    outside.write_bytes(LONG_NOTES[:-1])
    writers: dict[str, Callable[[Path], object]] = {
        "plain": lambda path: path.write_bytes(LONG_NOTES[:-1]),
        "long": lambda path: path.write_bytes(LONG_NOTES),
        "link": lambda path: path.symlink_to(outside),
        "pipe": os.mkfifo,
    }
    for name, write in writers.items():
        folder = top / name / "v" / "9"
        folder.mkdir(parents=True)
        (folder / "v").write_bytes(b"xxx")
        write(folder / "metadata")
        place = BackupLocation(container=str(top / name), backup_name="n", hostname="vm")
        noted = SIZE if name == "plain" else None
        assert stored.inspect_item(place, VOLUME_PIECE) == attrs.evolve(UNREAD, noted=noted), name


def test_swift_reads_neither_long_nor_compressed_metadata(harness: FreezerHarness) -> None:
    stored = StoredBackup(harness, SETTINGS[StorageKind.SWIFT](harness.sandbox), "any")
    swift = Adapter(harness.sandbox.session(CLOUD), service_type="object-store")
    swift.put(quote(f"/{harness.top}"))
    for name, content, headers in (
        ("plain", LONG_NOTES[:-1], {}),
        ("long", LONG_NOTES, {}),
        ("packed", gzip.compress(LONG_NOTES[:-1]), {"Content-Encoding": "gzip"}),
    ):
        container = f"{harness.top}/{name}"
        folder = f"{container}/{container}_segments/v/9"
        swift.put(quote(f"/{folder}/segments/00000000"), data=b"xxx")
        swift.put(quote(f"/{folder}/9"), data=content, headers=headers)
        place = BackupLocation(container=container, backup_name="n", hostname="vm")
        noted = SIZE if name == "plain" else None
        assert stored.inspect_item(place, VOLUME_PIECE) == attrs.evolve(UNREAD, noted=noted), name


def test_s3_reads_neither_long_nor_compressed_metadata(harness: FreezerHarness) -> None:
    s3 = harness.sandbox.s3
    bucket = Minio(
        urlsplit(s3.endpoint).netloc,
        access_key=s3.access_key,
        secret_key=s3.secret_key,
        secure=False,
    )
    bucket.make_bucket(harness.top)
    stored = StoredBackup(harness, SETTINGS[StorageKind.S3](harness.sandbox), "any")
    objects: tuple[tuple[str, bytes, Any], ...] = (
        ("plain", LONG_NOTES[:-1], None),
        ("long", LONG_NOTES, None),
        ("packed", gzip.compress(LONG_NOTES[:-1]), {"Content-Encoding": "gzip"}),
    )
    for name, content, headers in objects:
        bucket.put_object(harness.top, f"{name}/v/9/v", io.BytesIO(b"xxx"), 3)
        path, data = f"{name}/v/9/metadata", io.BytesIO(content)
        bucket.put_object(harness.top, path, data, len(content), metadata=headers)
        place = BackupLocation(container=f"{harness.top}/{name}", backup_name="n", hostname="vm")
        noted = SIZE if name == "plain" else None
        assert stored.inspect_item(place, VOLUME_PIECE) == attrs.evolve(UNREAD, noted=noted), name
