"""Documents of backups that leave the command, and that come from outside."""

from collections.abc import Mapping
from typing import Any, Final

from karbor_backup_core.cli.failures import PROGRAM
from karbor_backup_core.cli.invocation import Invocation
from karbor_backup_core.cli.streams import write_error
from karbor_backup_core.documents import from_document, to_document
from karbor_backup_core.errors import InvalidDocument
from karbor_backup_core.model import Backup
from karbor_backup_core.signatures import SIGNATURE, sign, verify

_WHAT: Final = "Backup document"


def signed_document(invocation: Invocation, backup: Backup) -> dict[str, Any]:
    """Return a backup's document, signed where the configuration names a key.

    Raises:
        InvalidInput: the key cannot be looked up, or is too short.
    """
    return sign(to_document(backup), invocation.configuration.document_keys)


def backup_from_outside(invocation: Invocation, document: Mapping[str, Any]) -> Backup:
    """Return the backup that a document from outside describes.

    Raises:
        InvalidDocument: its signature is wrong, or missing where the configuration requires one; or
            it describes no backup.
        InvalidInput: a key cannot be looked up, or is too short.
    """
    return from_document(Backup, _checked(invocation, document))


def _checked(invocation: Invocation, document: Mapping[str, Any]) -> Mapping[str, Any]:
    settings = invocation.configuration
    if SIGNATURE in document:
        try:
            return verify(document, settings.document_keys)
        except InvalidDocument as error:
            raise InvalidDocument(_WHAT, error.faults) from None
    if settings.require_signature:
        fault = (
            f"$.{SIGNATURE}: missing, and the configuration requires one "
            "(documents.require_signature)"
        )
        raise InvalidDocument(_WHAT, [fault])
    if settings.document_keys:
        write_error(f"{PROGRAM}: warning: the document is not signed: anybody may have written it")
    return document
