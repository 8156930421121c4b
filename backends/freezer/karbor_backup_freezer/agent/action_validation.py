"""The one way by which an action reaches Freezer: what its agent's file cannot carry is refused.

freezer-scheduler 19.0.0 writes every field of an action into a file and the agent reads it back
with Python's universal newlines: a carriage return in any value begins a new field or a new
section, and some fields of the agent reach a shell. So an action holds no field and no value here
that is not named below. Values come escaped (``escaping.escape``), as they are sent.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from karbor_backup_core import InvalidInput
from karbor_backup_freezer.agent.escaping import (
    check_backup_name,
    check_container,
    check_hostname,
    check_identifier,
    check_path,
    check_restore_path,
    check_secret,
    check_text,
    escape,
    unescape,
)
from karbor_backup_freezer.model.storages import SECRET_FIELDS, StorageKind

_Check = Callable[[str, Any], object]

_MAX_PORT: Final = 65535
_MAX_TIMEOUT: Final = 2**31 - 1


def _one_of(*words: str) -> _Check:
    def check(field: str, value: Any) -> None:
        if value not in words:
            raise InvalidInput(f"{field} {value!r}: Freezer accepts one of {', '.join(words)}")

    return check


def _positive_integer(highest: int) -> _Check:
    def check(field: str, value: Any) -> None:
        if type(value) is not int or not 0 < value <= highest:
            raise InvalidInput(f"{field} {value!r}: give a whole number from 1 to {highest}")

    return check


def _boolean(field: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise InvalidInput(f"{field} {value!r}: give true or false")


def _text(check: Callable[[str, str], object]) -> _Check:
    """Apply a check of a text to a value that was escaped for the agent's file."""

    def checked(field: str, value: Any) -> None:
        if not isinstance(value, str):
            raise InvalidInput(f"{field}: {type(value).__name__} is not text")
        text = unescape(value)
        if escape(text) != value:
            # The value is not quoted: it may be a secret.
            raise InvalidInput(f"{field}: it has a percent sign that the agent would interpolate")
        check(field, text)

    return checked


def _backup_name(_: str, text: str) -> None:
    check_backup_name(text)


def _restore_path(_: str, text: str) -> None:
    check_restore_path(text)


def _removal_name(_: str, text: str) -> None:
    """Check the name that a removal gives, which is that of an image with its id after a slash."""
    name, slash, identifier = text.partition("/")
    check_backup_name(name)
    if slash:
        check_identifier("glance_image_id", identifier)


_identifier: Final = _text(check_identifier)

_COMMON_FIELDS: Final[Mapping[str, _Check]] = {
    "mode": _one_of("fs", "nova", "cinder", "cindernative", "glance"),
    "engine_name": _one_of("tar", "nova", "glance"),
    "container": _text(check_container),
    "backup_name": _text(_backup_name),
    "hostname": _text(check_hostname),
    "nova_inst_id": _identifier,
    "cinder_vol_id": _identifier,
    "cindernative_vol_id": _identifier,
    "glance_image_id": _identifier,
    "project_id": _identifier,
    "storage": _one_of(*(kind.value for kind in StorageKind)),
    "endpoint": _text(check_text),
    "ssh_host": _text(check_text),
    "ssh_port": _positive_integer(_MAX_PORT),
    "ssh_username": _text(check_text),
    "ssh_key": _text(check_path),
    "ftp_host": _text(check_text),
    "ftp_port": _positive_integer(_MAX_PORT),
    "ftp_username": _text(check_text),
    "ftp_keyfile": _text(check_path),
    "ftp_certfile": _text(check_path),
    **dict.fromkeys(SECRET_FIELDS, _text(check_secret)),
}

_WORK_FIELDS: Final[Mapping[str, _Check]] = {
    "temp_resource_prefix": _identifier,
    "timeout": _positive_integer(_MAX_TIMEOUT),
}

_FIELDS: Final[Mapping[str, Mapping[str, _Check]]] = {
    "backup": {
        **_COMMON_FIELDS,
        **_WORK_FIELDS,
        "path_to_backup": _text(check_path),
        "cindernative_backup_container": _identifier,
        "backup_id": _identifier,
    },
    "restore": {
        **_COMMON_FIELDS,
        **_WORK_FIELDS,
        "restore_abs_path": _text(_restore_path),
        "overwrite": _boolean,
        "cindernative_backup_id": _identifier,
    },
    "admin": {
        **_COMMON_FIELDS,
        "remove_older_than": _one_of("0"),
        "backup_name": _text(_removal_name),
    },
}
"""By action, the fields that it may have, and the check of each."""

REMOVAL_FIELDS: Final = frozenset(_FIELDS["admin"])
"""The fields of a removal, beside ``action``."""


def validate_action(action: Mapping[str, Any]) -> dict[str, Any]:
    """Return an action that the agent reads as it was meant.

    Args:
        action: its fields, texts escaped for the agent's file. None stands for no field.

    Raises:
        InvalidInput: a field is unknown, or a value would arrive changed or as something else. A
            secret is not quoted.
    """
    name = action.get("action")
    if not isinstance(name, str) or name not in _FIELDS:
        raise InvalidInput(f"action {name!r}: Freezer accepts one of {', '.join(_FIELDS)}")
    known = _FIELDS[name]
    for field, value in action.items():
        if field == "action" or value is None:
            continue
        if field not in known:
            raise InvalidInput(f"action {name} has no field {field!r} here")
        known[field](field, value)
    return dict(action)


def remove_invalid_fields(action: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of an action that was read from Freezer may be written there again.

    Fields that ``validate_action`` would refuse are left out, and an unknown action becomes
    ``admin``, which does nothing without a further field.
    """
    name = action.get("action")
    known = _FIELDS.get(name) if isinstance(name, str) else None
    if known is None:
        return {"action": "admin"}
    return {"action": name, **{f: v for f, v in action.items() if _is_valid(known, f, v)}}


def _is_valid(known: Mapping[str, _Check], field: str, value: Any) -> bool:
    if field not in known or value is None:
        return False
    try:
        known[field](field, value)
    except InvalidInput:
        return False
    return True
