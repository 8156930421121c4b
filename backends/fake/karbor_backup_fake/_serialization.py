"""The backend's own notes: the receipt of an operation and the handle of a backup.

Both carry a version, so that a later release of the backend can read what an earlier one wrote,
and says so when it cannot.
"""

import re
from typing import Any, Final

from karbor_backup_core import BackendError, InvalidInput, Json

_VERSION: Final = 1
_COPY_ID: Final = re.compile(r"[A-Za-z0-9-]{0,64}")


def make_receipt(job_id: str) -> Json:
    """Note which job works for an operation."""
    return {"version": _VERSION, "job": job_id}


def read_job_id(noted: Json | None) -> str:
    """Read a receipt; an operation has none until the first answer of a verb is stored.

    Raises:
        BackendError: it is of a version that this release does not know.
    """
    return "" if noted is None else str(_check_version(noted, "receipt")["job"])


def make_handle(copy_id: str) -> Json:
    """Note which copy holds a backup's data; an empty id for a resource that is only covered."""
    return {"version": _VERSION, "copy": copy_id}


def read_copy_id(noted: Json) -> str:
    """Read a handle; anybody may have written it.

    Raises:
        BackendError: it is of a version that this release does not know.
        InvalidInput: no release has written it.
    """
    copy_id = _check_version(noted, "handle").get("copy")
    named = isinstance(copy_id, str) and _COPY_ID.fullmatch(copy_id)
    if not named or noted != make_handle(str(copy_id)) or type(noted["version"]) is not int:
        raise InvalidInput("the handle is damaged: no release of the fake backend has written it")
    return str(copy_id)


def _check_version(noted: Json, what: str) -> dict[str, Any]:
    if noted.get("version") != _VERSION:
        raise BackendError(
            f"a {what} of version {noted.get('version')!r}: this release of the fake backend "
            f"reads version {_VERSION} only; use the release that wrote it"
        )
    return dict(noted)
