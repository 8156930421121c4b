"""Looks at a storage of kind ``ssh``, where the key of its user is on this host too.

The agent trusts any server (``AutoAddPolicy``); what is looked at here is called verified, so the
server's key has to be known: to this user (``~/.ssh/known_hosts``) or to this host.
"""

import contextlib
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import attrs

from karbor_backup_core import install_hint
from karbor_backup_freezer.inspection.layout import BackupLocation
from karbor_backup_freezer.inspection.reader import (
    METADATA_LIMIT,
    StorageReader,
    StorageUnreachable,
    parse_metadata,
)
from karbor_backup_freezer.model.storages import Storage

if TYPE_CHECKING:
    from paramiko import SFTPClient, SSHClient

_KNOWN_HOSTS: Final = (Path("~/.ssh/known_hosts"), Path("/etc/ssh/ssh_known_hosts"))
_PORT: Final = 22


@contextlib.contextmanager
def open_reader(
    storage: Storage, location: BackupLocation, timeout: float
) -> Iterator[StorageReader]:
    """Open a protect's folder on the server.

    Args:
        storage: the storage, by its configuration.
        location: where the protect has stored its data.
        timeout: seconds that each step of the connection may take.

    Raises:
        StorageUnreachable: paramiko or the key's file is missing here, the server cannot be
            reached, its key is not known, or it does not let the user in.
    """
    where = f"{storage.options['username']}@{storage.options['host']}"
    try:
        import paramiko
    except ModuleNotFoundError:
        raise StorageUnreachable(
            f"{where} can be looked at with paramiko, which is not installed: "
            f"{install_hint('storages')}"
        ) from None
    try:
        with _open_client(storage, timeout) as client, client.open_sftp() as sftp:
            _set_timeout(sftp, timeout)
            folder = PurePosixPath(location.container)
            if not _is_directory(sftp, folder.parent):
                raise StorageUnreachable(f"{where} shows no folder {folder.parent}")
            yield _SftpFolder(sftp, folder)
    except (paramiko.SSHException, OSError) as error:
        raise StorageUnreachable(
            f"{where} cannot be looked at from here: {_describe_error(error)}"
        ) from error


def _open_client(storage: Storage, timeout: float) -> "SSHClient":
    import paramiko

    options = storage.options
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.RejectPolicy())
    for file in _KNOWN_HOSTS:
        if file.expanduser().is_file():
            client.load_system_host_keys(str(file.expanduser()))
    try:
        client.connect(
            options["host"],
            port=options.get("port", _PORT),
            username=options["username"],
            key_filename=options["key"],
            timeout=timeout,
            banner_timeout=timeout,
            auth_timeout=timeout,
            allow_agent=False,
            look_for_keys=False,
        )
    except BaseException:
        client.close()
        raise
    return client


def _set_timeout(sftp: "SFTPClient", timeout: float) -> None:
    if channel := sftp.get_channel():
        channel.settimeout(timeout)


def _is_directory(sftp: "SFTPClient", path: PurePosixPath) -> bool:
    try:
        return stat.S_ISDIR(sftp.stat(str(path)).st_mode or 0)
    except FileNotFoundError:
        return False


def _describe_error(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror if not error.filename else f"{error.filename}: {error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


@attrs.frozen
class _SftpFolder:
    sftp: "SFTPClient"
    folder: PurePosixPath

    def list_sizes(self) -> Mapping[str, int]:
        found: dict[str, int] = {}
        folders = [self.folder] if _is_directory(self.sftp, self.folder) else []
        while folders:
            folder = folders.pop()
            for entry in self.sftp.listdir_attr(str(folder)):
                path = folder / entry.filename
                if stat.S_ISDIR(entry.st_mode or 0):
                    folders.append(path)
                else:
                    found[str(path.relative_to(self.folder))] = entry.st_size or 0
        return found

    def read_metadata(self, path: str) -> Any:
        name = str(self.folder / path)
        # SFTP cannot open a file without following links and waiting for pipes.
        if not stat.S_ISREG(self.sftp.lstat(name).st_mode or 0):
            raise ValueError(f"{path} is no file")
        with self.sftp.open(name) as file:
            return parse_metadata(file.read(METADATA_LIMIT + 1))
