"""Kinds of storage under servers and volumes: what the table says comes back does, nothing else.

What the table calls broken and brings its data back has been mended: then the table in
``compatibility.py`` and the one in ``docs/reference/freezer-support.md`` are to be changed.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from karbor_backup_core import Backup, Operation, Policy, Resource, Result, Runner, Verb
from karbor_backup_freezer.agent.compatibility import NEWEST_TESTED, restore_support
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.inspection import DataInspector, Measurement
from karbor_backup_freezer.model.handle import Handle
from karbor_backup_freezer.model.storages import StorageKind
from karbor_backup_openstack.connection import Connection
from karbor_backup_openstack.services import CloudServices
from sandbox import Sandbox
from sandbox.openstack.testing import CloudTestTools
from tests.e2e.cloud.harness import run_operation
from tests.e2e.freezer.harness import FreezerHarness, assert_succeeded
from tests.support.outcomes import get_backup, get_outcome

SERVER, VOLUME = "OS::Nova::Server", "OS::Cinder::Volume"
CONTENT = bytes(range(256)) * 4096
NAMED = {"backup_name": "nightly"}
IMPATIENT = Policy(
    poll_first=timedelta(seconds=0.5),
    poll_limit=timedelta(seconds=1),
    grace=timedelta(seconds=2),
    release=timedelta(seconds=90),
)


@attrs.frozen
class StoredSubject:
    """A server or volume whose first bytes are known, and how to read those of a restored one."""

    resource: Resource
    read: Callable[[str, int, int], bytes]

    def content_of(self, restored: Resource) -> bytes:
        return self.read(restored.id, 0, len(CONTENT))


@pytest.fixture
def subject(
    request: pytest.FixtureRequest, what: str, cloud_tools: CloudTestTools
) -> StoredSubject:
    """Return a server or a volume, as the test asks for."""
    if what == "volume":
        make_volume = request.getfixturevalue("make_volume")
        return StoredSubject(
            Resource(VOLUME, make_volume("disk", CONTENT)), cloud_tools.read_volume
        )
    image = request.getfixturevalue("make_image")("image", CONTENT)
    server = request.getfixturevalue("make_server")("server", image=image)
    return StoredSubject(Resource(SERVER, server), cloud_tools.read_disk)


@pytest.fixture
def storage(
    cloud: Sandbox, kind: StorageKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """Return a storage of that kind on the sandbox's servers, as an operator configures it."""
    match kind:
        case StorageKind.SSH:
            ssh = cloud.ssh
            _trust_ssh_host(ssh, tmp_path, monkeypatch)
            login = {"host": ssh.host, "port": ssh.port, "username": ssh.user, "key": str(ssh.key)}
            return {"kind": "ssh", "path": str(ssh.directory), **login}
        case StorageKind.SWIFT:
            assert cloud.swift
            return {"kind": "swift"}
        case StorageKind.S3:
            return {"kind": "s3", **attrs.asdict(cloud.s3)}
        case StorageKind.FTP:
            ftp = cloud.ftp
            login = {"username": ftp.user, "password": ftp.password}
            return {"kind": "ftp", "host": ftp.host, "port": ftp.port, "path": "/", **login}
    return {"kind": "local", "path": str(cloud.storage_dir)}


def _trust_ssh_host(ssh: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this process a home in which the SSH server's key is known."""
    kind, key = ssh.key.with_name("host_key.pub").read_text().split()[:2]
    file = folder / ".ssh" / "known_hosts"
    file.parent.mkdir()
    file.write_text(f"[{ssh.host}]:{ssh.port} {kind} {key}\n")
    monkeypatch.setenv("HOME", str(folder))


def inspect_stored(harness: FreezerHarness, storage: dict[str, Any], backup: Backup) -> Measurement:
    """Return what is stored of a backup of one item, whatever Freezer says of it."""
    configuration = Configuration.from_document(harness.configuration(storages={"it": storage}))
    data = DataInspector(configuration, CloudServices(Connection(configuration)))
    handle = Handle.from_backup(backup)
    (measurement,) = data.inspect(configuration.storages["it"], handle.location, handle.items)
    return measurement


def verify_backup(operation: Operation) -> Mapping[str, bool]:
    assert operation.outcome is not None
    return {check.name: check.verified for check in operation.outcome.checks}


def _row(what: str, kind: StorageKind, result: str) -> Any:
    mode = {"volume": "cinder", "server": "nova"}[what]
    return pytest.param(what, kind, marks=pytest.mark.shows(what, mode, kind.value, result))


COMES_BACK = "its size was checked, its bytes came back, nothing was left after the delete"


@pytest.mark.parametrize(
    ("what", "kind"),
    [
        _row("volume", StorageKind.LOCAL, COMES_BACK),
        _row("volume", StorageKind.SWIFT, COMES_BACK),
        _row("server", StorageKind.LOCAL, COMES_BACK),
        _row("server", StorageKind.SWIFT, COMES_BACK),
        _row("server", StorageKind.SSH, COMES_BACK),
    ],
)
def test_resource_is_restored_from_the_storage(
    harness: FreezerHarness,
    subject: StoredSubject,
    storage: dict[str, Any],
    kind: StorageKind,
    register_created: Callable[[Operation], tuple[Resource, ...]],
) -> None:
    assert restore_support(NEWEST_TESTED, subject.resource.type, kind).restorable
    runner = harness.runner(storages={"it": storage})
    protected = run_operation(runner, Verb.PROTECT, subject.resource, NAMED)
    assert_succeeded(protected)
    assert verify_backup(protected)["stored data"]
    backup = get_backup(protected)
    (stored,) = backup.handle["items"]
    assert stored["stored"] >= len(CONTENT)
    assert verify_backup(run_operation(runner, Verb.VERIFY, backup))["stored data"]

    restored = run_operation(runner, Verb.RESTORE, backup, {"restore_name": f"{harness.top}-back"})
    new = register_created(restored)[0]
    assert subject.content_of(new) == CONTENT

    assert inspect_stored(harness, storage, backup) == Measurement(
        stored=stored["stored"], complete=True, noted=stored["stored"]
    )
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))
    assert inspect_stored(harness, storage, backup) == Measurement(stored=0)


JOB_FAILED = "Freezer's job ended with result 'fail'"
NEVER_ENDS = "not done by its deadline"


def _broken(what: str, kind: StorageKind, call: str, words: str) -> Any:
    how = "does not end" if words == NEVER_ENDS else "fails"
    row = _row(what, kind, f"refused, with the reason; the {call} {how} indeed")
    return pytest.param(what, kind, Verb(call), words, marks=row.marks)


@pytest.mark.parametrize(
    ("what", "kind", "breaks", "words"),
    [
        _broken("volume", StorageKind.FTP, "restore", JOB_FAILED),
        _broken("volume", StorageKind.S3, "restore", JOB_FAILED),
        _broken("server", StorageKind.FTP, "restore", NEVER_ENDS),
        _broken("server", StorageKind.S3, "protect", JOB_FAILED),
    ],
)
def test_combination_listed_as_broken_fails(
    harness: FreezerHarness,
    subject: StoredSubject,
    unlucky: Runner,
    kind: StorageKind,
    breaks: Verb,
    words: str,
) -> None:
    judged = restore_support(NEWEST_TESTED, subject.resource.type, kind)
    assert not judged.restorable
    refused = run_operation(unlucky, Verb.PROTECT, subject.resource, NAMED)
    assert get_outcome(refused).refused
    assert judged.reason in get_outcome(refused).reason

    options = {**NAMED, "allow_unrestorable": True}
    ended = run_operation(unlucky, Verb.PROTECT, subject.resource, options)
    if breaks is Verb.RESTORE:
        assert get_outcome(ended).result is Result.SUCCEEDED
        name = {"restore_name": f"{harness.top}-back"}
        deadline = timedelta(seconds=60 if words == NEVER_ENDS else 600)
        ended = run_operation(unlucky, Verb.RESTORE, get_backup(ended), name, deadline=deadline)
    mended = f"freezer-agent has been mended for {subject.resource.type} on {kind}"
    assert get_outcome(ended).result is Result.FAILED, mended
    assert words in get_outcome(ended).reason


@pytest.mark.shows("volume", "cinder", "ssh", "refused, with the reason; the restore fails indeed")
@pytest.mark.parametrize(("what", "kind"), [("volume", StorageKind.SSH)])
def test_volume_cannot_be_restored_over_ssh(
    harness: FreezerHarness, subject: StoredSubject, storage: dict[str, Any]
) -> None:
    """The agent needs many minutes for a GiB over ssh, so it stores into the same folder here."""
    here = {"kind": "local", "path": storage["path"]}
    runner = harness.runner(storages={"here": here, "far": storage}, storage="here")
    refused = run_operation(runner, Verb.PROTECT, subject.resource, {**NAMED, "storage": "far"})
    assert get_outcome(refused).refused
    assert (
        restore_support(NEWEST_TESTED, VOLUME, StorageKind.SSH).reason
        in get_outcome(refused).reason
    )

    backup = get_backup(run_operation(runner, Verb.PROTECT, subject.resource, NAMED))
    far = attrs.evolve(backup, storage="far", handle={**backup.handle, "kind": "ssh"})
    restored = run_operation(runner, Verb.RESTORE, far, {"restore_name": f"{harness.top}-back"})
    assert get_outcome(restored).result is Result.FAILED, (
        "freezer-agent has been mended: volume, ssh"
    )
    assert JOB_FAILED in get_outcome(restored).reason
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))


@pytest.fixture
def unlucky(cloud: Sandbox, harness: FreezerHarness, storage: dict[str, Any]) -> Iterator[Runner]:
    """Yield a runner with its own scheduler, which ends an agent that loops for ever."""
    server = cloud.add_scheduler(harness.top)
    yield harness.runner(IMPATIENT, storages={"it": storage}, scheduler=harness.top)
    cloud.stop(server)


@pytest.mark.shows(
    "volume", "cinder", "local", "a backup that was cut short or emptied fails a verify"
)
@pytest.mark.parametrize(("what", "kind"), [("volume", StorageKind.LOCAL)])
def test_truncated_backup_is_reported_as_broken(
    harness: FreezerHarness, subject: StoredSubject, storage: dict[str, Any]
) -> None:
    runner = harness.runner(storages={"it": storage})
    backup = get_backup(run_operation(runner, Verb.PROTECT, subject.resource, NAMED))
    volume = subject.resource.id
    (data,) = Path(backup.handle["container"]).glob(f"{volume}/*/{volume}")
    for size, words in ((2**30 - 1, "the agent noted 1073741824"), (0, "nothing is stored")):
        with data.open("r+b") as file:
            file.truncate(size)
        broken = run_operation(runner, Verb.VERIFY, backup)
        assert get_outcome(broken).result is Result.FAILED
        assert words in get_outcome(broken).reason
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))
