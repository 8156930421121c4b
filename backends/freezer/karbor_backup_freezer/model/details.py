"""What is kept of a resource to make it again, checked when it is read."""

import functools
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from karbor_backup_core import InvalidInput, Json
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_openstack.details import DETAILS, object_schema

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

_DETAILS: Final[Mapping[str, Json]] = {
    **DETAILS,
    DIRECTORY: object_schema(mounted={"type": "string"}),
}


def check_details(kind: str, details: Json) -> None:
    """Check what is kept of a resource beside its id, name and size.

    Args:
        kind: the resource's type; empty for one that keeps nothing.
        details: as they were read.

    Raises:
        InvalidInput: they are not as they were written.
    """
    if not kind and not details:
        return
    problem = next(_validator(kind).iter_errors(_to_json_types(details)), None)
    if problem is not None:
        raise InvalidInput(f"details{problem.json_path[1:]}: {problem.message[:200]}")


@functools.cache
def _validator(kind: str) -> "Draft202012Validator":
    import jsonschema

    return jsonschema.Draft202012Validator(_DETAILS.get(kind, object_schema()))


def _to_json_types(details: Json) -> Any:
    """Return details with lists for tuples, which is all that jsonschema takes for arrays."""
    return json.loads(json.dumps(details))
