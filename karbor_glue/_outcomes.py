"""What Karbor's users are told of an outcome, whether a flow or a recovery saw the end."""

from collections.abc import Mapping
from typing import Any

from karbor_backup_core import Operation, Outcome


def restored_ids(operation: Operation, outcome: Outcome) -> Mapping[str, str]:
    """Return the new ids by the old ones: of the members, and of the resource itself."""
    new = {each.resource.id: each.restored.id for each in outcome.parts if each.restored}
    if outcome.resources:
        new[operation.resource.id] = outcome.resources[0].id
    return new


def record_id(resource: Any, known: str, restored: Mapping[str, str]) -> str:
    """Return the id under which Karbor's record of a restore lists a resource.

    A directory is restored in place: what the backend calls its new id is its path, by which
    Karbor does not know it.

    Args:
        resource: Karbor's resource.
        known: the id by which the backend knows it.
        restored: the new ids by the old ones.
    """
    new = restored.get(known, known)
    return new if new != known else str(resource.id)


def describe_unverified(outcome: Outcome) -> str:
    """Return what an operation that succeeded could not verify, in one line."""
    missing = (each for each in outcome.checks if not each.verified)
    return "; ".join(f"not verified: {each.name}: {each.reason}" for each in missing)
