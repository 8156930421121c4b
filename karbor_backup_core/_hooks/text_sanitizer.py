"""Text of a backend made fit to be shown and stored: without its secrets, and not endless."""

from collections.abc import Iterable
from typing import Final

from karbor_backup_core._escaping import truncate_text
from karbor_backup_core.secrets import Secret, redact

MAX_REASON: Final = 2000
"""Characters of a reason; a service may answer with a page of a megabyte."""


def sanitize_text(text: str, secrets: Iterable[Secret]) -> str:
    """Return a text without these secrets, of about ``MAX_REASON`` characters at most."""
    # Cut first, half of a secret could stay.
    return truncate_text(redact(text, secrets), MAX_REASON)
