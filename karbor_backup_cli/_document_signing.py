"""Documents of backups that leave the command, and that come from outside."""

from collections.abc import Mapping
from typing import Any, Final

from karbor_backup_cli._context import CliContext
from karbor_backup_cli._errors import PROGRAM
from karbor_backup_cli._streams import write_error
from karbor_backup_core import Backup, InvalidDocument
from karbor_backup_core.documents import from_document, to_document
from karbor_backup_core.signatures import SIGNATURE_PROPERTY, sign_document, verify_signature

_DOCUMENT_TITLE: Final = "Backup document"


def sign_backup(context: CliContext, backup: Backup) -> dict[str, Any]:
    """Return a backup's document, signed where the configuration names a key.

    Raises:
        InvalidInput: the key cannot be looked up, or is too short.
    """
    return sign_document(to_document(backup), context.configuration.document_keys)


def read_backup_document(context: CliContext, document: Mapping[str, Any]) -> Backup:
    """Return the backup that a document from outside describes.

    Raises:
        InvalidDocument: its signature is wrong, or missing where the configuration requires one; or
            it describes no backup.
        InvalidInput: a key cannot be looked up, or is too short.
    """
    return from_document(Backup, _check_signature(context, document))


def _check_signature(context: CliContext, document: Mapping[str, Any]) -> Mapping[str, Any]:
    settings = context.configuration
    if SIGNATURE_PROPERTY in document:
        try:
            return verify_signature(document, settings.document_keys)
        except InvalidDocument as error:
            raise InvalidDocument(_DOCUMENT_TITLE, error.faults) from None
    if settings.require_signature:
        fault = (
            f"$.{SIGNATURE_PROPERTY}: missing, and the configuration requires one "
            "(documents.require_signature)"
        )
        raise InvalidDocument(_DOCUMENT_TITLE, [fault])
    if settings.document_keys:
        write_error(f"{PROGRAM}: warning: the document is not signed: anybody may have written it")
    return document
