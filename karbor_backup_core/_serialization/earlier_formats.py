"""Documents of earlier formats, which are brought to the format of today before they are read."""

from collections.abc import Mapping
from typing import Any, Final

_GROUPS: Final[Mapping[str, Mapping[str, str]]] = {
    "amount": {"done": "done", "total": "total", "unit": "unit"},
    "lease": {"owner": "owner", "lease_until": "until"},
    "retry": {name: name for name in ("last_error", "failures", "not_before", "unknown_since")},
}
"""Properties that format 1 of an operation had side by side, by the value that holds them now."""


def upgrade_operation(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of an operation of format 1 as one of format 2."""
    upgraded = dict(document)
    for group, names in _GROUPS.items():
        found = {new: upgraded.pop(old) for old, new in names.items() if old in document}
        if found and found.get("owner") != "":  # an empty owner was none
            upgraded[group] = found
    return upgraded
