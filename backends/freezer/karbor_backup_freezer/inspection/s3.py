"""Looks at a storage of kind ``s3``, with the configured keys."""

import contextlib
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import attrs

from karbor_backup_core import Transient, install_hint
from karbor_backup_freezer.inspection.layout import BackupLocation
from karbor_backup_freezer.inspection.reader import (
    METADATA_LIMIT,
    StorageReader,
    StorageUnreachable,
    parse_metadata,
)
from karbor_backup_freezer.model.storages import Storage

if TYPE_CHECKING:
    from minio import Minio


@contextlib.contextmanager
def open_reader(
    storage: Storage, location: BackupLocation, timeout: float
) -> Iterator[StorageReader]:
    """Open a protect's part of a bucket.

    Args:
        storage: the storage, by its configuration.
        location: where the protect has stored its data.
        timeout: seconds that a request may take.

    Raises:
        InvalidInput: a secret's reference leads nowhere.
        Transient: the service cannot answer now.
        StorageUnreachable: minio is not installed, or the service cannot be reached from here or
            refuses the keys.
    """
    endpoint = storage.options["endpoint"]
    try:
        from minio.error import MinioException, S3Error
        from urllib3.exceptions import HTTPError
    except ModuleNotFoundError:
        raise StorageUnreachable(
            f"{endpoint} can be looked at with minio, which is not installed: "
            f"{install_hint('storages')}"
        ) from None
    bucket, _, folder = location.container.partition("/")
    try:
        yield _S3Bucket(_open_client(storage, timeout), bucket, f"{folder}/")
    except S3Error as error:
        if error.response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Transient(f"{endpoint} cannot answer now: {error.code}") from error
        raise StorageUnreachable(
            f"{endpoint} does not show bucket {bucket!r}: {error.code}"
        ) from error
    except HTTPError as error:
        reason = f"{endpoint} cannot be reached from here: {type(error).__name__}"
        raise StorageUnreachable(reason) from error
    except MinioException as error:
        raise StorageUnreachable(f"{endpoint} does not answer as S3 does: {error}") from error


def _open_client(storage: Storage, timeout: float) -> "Minio":
    from minio import Minio
    from urllib3 import PoolManager

    parts = urlsplit(storage.options["endpoint"])
    if parts.path.strip("/"):
        raise StorageUnreachable(
            f"the endpoint {storage.options['endpoint']} has a path: minio takes none"
        )
    return Minio(
        parts.netloc,
        access_key=storage.options["access_key"].reveal(),
        secret_key=storage.options["secret_key"].reveal(),
        secure=parts.scheme == "https",
        http_client=PoolManager(timeout=timeout, retries=False),
    )


@attrs.frozen
class _S3Bucket:
    client: "Minio"
    bucket: str
    prefix: str

    def list_sizes(self) -> Mapping[str, int]:
        listed = self.client.list_objects(self.bucket, prefix=self.prefix, recursive=True)
        return {
            (entry.object_name or "").removeprefix(self.prefix): entry.size or 0 for entry in listed
        }

    def read_metadata(self, path: str) -> Any:
        with self.client.get_object(self.bucket, f"{self.prefix}{path}") as answer:
            # What an object says of its encoding is not believed: it may unpack to any length.
            return parse_metadata(answer.read(METADATA_LIMIT + 1, decode_content=False))
