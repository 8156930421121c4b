"""Whether this version can read what another one may have written."""

from karbor_backup_core import BackendError, Backup, InvalidInput


def check_receipt_format(written: object, readable: int) -> None:
    """Check that this version can read a receipt.

    Args:
        written: the format that the receipt names.
        readable: the format that this version reads.

    Raises:
        BackendError: it was written by another version.
    """
    if written != readable:
        raise BackendError(
            f"the receipt has format {written!r} and this version reads format {readable}: use "
            "the version of karbor-backup that began the operation"
        )


def check_handle_format(backup: Backup, readable: int) -> None:
    """Check that this version can read a backup's handle.

    Args:
        backup: the backup.
        readable: the format that this version reads.

    Raises:
        InvalidInput: it was written by another version.
    """
    written = backup.handle.get("format")
    if written != readable:
        raise InvalidInput(
            f"backup {backup.id}: its handle has format {written!r} and this version reads "
            f"format {readable}: use the version of karbor-backup that made it"
        )
