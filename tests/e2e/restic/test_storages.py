"""The backend on storages that are elsewhere: sftp, a REST server and S3, all real."""

import contextlib
import re
import shlex
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from karbor_backup_core import BackendError, Verb
from sandbox import Sandbox
from sandbox.ports import HOST
from tests.e2e.restic.operations import ResticRunner
from tests.support.restic_harness import ResticHarness

NOISE: Final = bytes(range(256)) * 4096
BUCKET: Final = "restic"

REFUSED: Final = (
    "the storage refuses the credentials: look at the backend's 'environment'"
    # restic may end before it has passed on what its ssh says.
    "|ssh has ended the connection: log in with ssh by hand"
)


@attrs.frozen
class Storage:
    """A repository on a server.

    Attributes:
        settings: of the backend, by which it reaches the repository.
        intruder: the same with credentials that the server does not accept.
        secret: a credential that nobody may see; empty where there is none.
    """

    settings: Mapping[str, Any]
    intruder: Mapping[str, Any]
    secret: str = ""


def on_sftp(sandbox: Sandbox, repository: Path, name: str) -> Storage:
    """Put a repository where an sshd lets it be reached."""
    server = sandbox.ssh
    path = server.directory / name
    shutil.copytree(repository, path)

    def settings(key: Path) -> dict[str, Any]:
        ssh = [
            *("ssh", "-F", "none", "-p", f"{server.port}", "-i", f"{key}"),
            *("-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes"),
            *("-o", f"UserKnownHostsFile={server.known_hosts}"),
            *(f"{server.user}@{server.host}", "-s", "sftp"),
        ]
        return {
            "repository": f"sftp:{server.user}@{server.host}:{path}",
            "options": {"sftp.command": shlex.join(ssh)},
        }

    return Storage(settings(server.key), settings(server.key.with_name("host_key")))


def on_rest(sandbox: Sandbox, repository: Path, name: str) -> Storage:
    """Put a repository where a REST server serves it."""
    server = sandbox.part("rest")
    shutil.copytree(repository, server.directory / name)

    def settings(password: str) -> dict[str, Any]:
        return {
            "repository": f"rest:{server.url}/{name}/",
            "rest": {"user": server.user, "password": password},
        }

    return Storage(settings(server.password), settings("guessed"), server.password)


def on_s3(sandbox: Sandbox, repository: Path, name: str) -> Storage:
    """Upload a repository to a bucket."""
    plain, server = sandbox.s3, sandbox.part("s3-tls")
    # A bucket is a container of Swift, which tests can write to without a library for S3.
    session, swift = sandbox.session(), {"service_type": "object-store"}
    session.put(f"/{BUCKET}", endpoint_filter=swift)
    for path in repository.rglob("*"):
        if path.is_file():
            key = f"/{BUCKET}/{name}/{path.relative_to(repository)}"
            session.put(key, endpoint_filter=swift, data=path.read_bytes())

    def settings(secret_key: str) -> dict[str, Any]:
        return {
            "repository": f"s3:{server.endpoint}/{BUCKET}/{name}",
            "environment": {
                "AWS_ACCESS_KEY_ID": plain.access_key,
                "AWS_SECRET_ACCESS_KEY": secret_key,
                "SSL_CERT_FILE": str(server.certificate),
            },
        }

    return Storage(settings(plain.secret_key), settings("guessed"), plain.secret_key)


@pytest.fixture(params=[on_sftp, on_rest, on_s3], ids=["sftp", "rest", "s3"])
def storage(
    request: pytest.FixtureRequest, sandbox: Sandbox, empty_repository: Path, tmp_path: Path
) -> Storage:
    """Make a repository of the test's own on a server that all tests share."""
    make: Callable[[Sandbox, Path, str], Storage] = request.param
    return make(sandbox, empty_repository, tmp_path.name)


@pytest.fixture
def runner(restic: ResticHarness, storage: Storage) -> Iterator[ResticRunner]:
    """Operations on that repository."""
    with ResticRunner.open(restic, **storage.settings) as runner:
        yield runner


def count_locks(runner: ResticRunner, storage: Storage) -> int:
    """Return the number of locks in a repository that can be opened."""
    health = runner.harness.backend(**storage.settings).health()
    assert health.ok, health
    return int(health.details["locks"])


def test_backup_lives_and_dies_there(runner: ResticRunner, storage: Storage) -> None:
    directory = runner.directory()
    Path(directory.id, "noise").write_bytes(NOISE)
    backup = runner.protect(directory)
    verified = runner.succeed(Verb.VERIFY, backup, read_percent=100)
    assert verified.outcome is not None
    assert [it.name for it in verified.outcome.checks if not it.verified] == [
        "files can be restored"
    ]
    restored = runner.succeed(Verb.RESTORE, backup)
    assert restored.outcome is not None
    there = Path(restored.outcome.resources[0].id)
    assert {path.name: path.read_bytes() for path in there.iterdir()} == {
        path.name: path.read_bytes() for path in Path(directory.id).iterdir()
    }
    runner.succeed(Verb.DELETE, backup)
    assert count_locks(runner, storage) == 0
    assert "is gone" in runner.fail(Verb.RESTORE, backup)
    assert runner.harness.processes() == []


@pytest.mark.parametrize("storage", [on_sftp, on_rest], ids=["sftp", "rest"], indirect=True)
def test_cancelled_protect_leaves_nothing_there(runner: ResticRunner, storage: Storage) -> None:
    directory = runner.directory()
    operation_id = runner.begin_stalled(lambda: runner.begin(Verb.PROTECT, directory))
    if storage.secret:
        for process in runner.harness.processes():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                arguments = Path(f"/proc/{process.pid}/cmdline").read_bytes()
                assert storage.secret.encode() not in arguments
        for path in runner.harness.folder.rglob("*"):
            assert not path.is_file() or storage.secret.encode() not in path.read_bytes(), path
    runner.runner.cancel(operation_id)
    runner.wait(operation_id)
    assert count_locks(runner, storage) == 0
    assert runner.harness.processes() == []


def test_credentials_that_are_refused_are_named(restic: ResticHarness, storage: Storage) -> None:
    health = restic.backend(**storage.intruder).health()
    assert not health.ok
    assert re.search(REFUSED, health.summary), health
    assert "\n" not in health.summary
    assert "guessed" not in health.summary
    with ResticRunner.open(restic, **storage.intruder) as intruder:
        directory = intruder.directory()
        with pytest.raises(BackendError, match=REFUSED) as refused:
            intruder.run(Verb.PROTECT, directory)
    assert "guessed" not in str(refused.value)
    assert restic.processes() == []


def test_server_that_is_away_is_told(restic: ResticHarness) -> None:
    # Nobody else can take the port, and nobody listens on it.
    with socket.socket() as bound:
        bound.bind((HOST, 0))
        port = bound.getsockname()[1]
        health = restic.backend(repository=f"rest:http://{HOST}:{port}/me/").health()
    assert not health.ok
    assert "connection refused" in health.summary
    assert "\n" not in health.summary
