"""What a rule needs beyond a backend: optional fields of the harness, and declared abilities.

It is decided before a rule runs whether its needs are met. A rule cannot find out on its way that
it does not apply: so no fault can turn a failure into a skip.
"""

from collections.abc import Callable
from typing import Final

import attrs

from karbor_backup_contract.harness import Fault, Harness
from karbor_backup_core import BackendInfo, Support, Verb

_UnmetReason = Callable[[Harness, BackendInfo], str]

TOLD_BY_ANOTHER: Final = "which C-105 tells"
"""The last words of a reason that need not be told again."""

LARGEST_TRIED_LIMIT: Final = 20
"""The largest limit of work at once that is tried: the rules begin more than that."""


@attrs.frozen
class Requirement:
    """Something that a rule needs.

    Attributes:
        description: what it is, as it stands in the documentation.
        unmet_reason: says why it is not there; empty when it is.
        declared: whether it is an ability of the backend, rather than a field of the harness.
    """

    description: str
    unmet_reason: _UnmetReason
    declared: bool = False


def requires_attribute(name: str, why: str) -> Requirement:
    """Return the need for an optional attribute of the harness."""
    reason = f"the harness has no {name}"
    return Requirement(
        f"{why} (`{name}`)", lambda harness, _: "" if getattr(harness, name) else reason
    )


def requires_fault(kind: Fault) -> Requirement:
    """Return the need for a fault that the harness can make happen."""
    reason = f"the harness has no fault {kind.name}"
    return Requirement(
        f"fault `{kind.name}`: {kind.value}",
        lambda harness, _: "" if kind in harness.faults else reason,
    )


def requires_request_fault(kind: Fault) -> Requirement:
    """Return the need for a fault that the harness can make happen at a certain request."""
    reason = f"the harness has no {kind.name} at a certain request"
    return Requirement(
        f"fault `{kind.name}` at a certain request (`request_faults`)",
        lambda harness, _: "" if kind in harness.request_faults else reason,
    )


def requires_support(support: Support, verb: Verb | None = None) -> Requirement:
    """Return the need for some type that the backend declares so, for a verb or for any."""
    text = f"{support}{'' if verb is None else f' {verb}'}"

    def unmet(_: Harness, info: BackendInfo) -> str:
        found = any(
            ability.support is support and verb in (None, each)
            for abilities in info.abilities.values()
            for each, ability in abilities.items()
        )
        return "" if found else f"the backend declares no type as {text}"

    return Requirement(f"a type that the backend declares as {text}", unmet, declared=True)


def _missing_delete_reason(_: Harness, info: BackendInfo) -> str:
    deletes = any(
        ability.support is Support.SUPPORTED
        for abilities in info.abilities.values()
        for verb, ability in abilities.items()
        if verb is Verb.DELETE
    )
    return "" if deletes else f"the backend deletes no backups, {TOLD_BY_ANOTHER}"


def _missing_limit_reason(_: Harness, info: BackendInfo) -> str:
    if info.work_limit is None:
        return "the backend declares no limit of work at once"
    if info.work_limit > LARGEST_TRIED_LIMIT:
        return (
            f"the declared limit is {info.work_limit}: more than {LARGEST_TRIED_LIMIT} is not tried"
        )
    return ""


def _missing_types_reason(harness: Harness, info: BackendInfo) -> str:
    missing = sorted(supported_types(info) - set(harness.resource_types))
    return f"the harness makes no resource of type {', '.join(missing)}" if missing else ""


def supported_types(info: BackendInfo) -> set[str]:
    """Return the types for which a backend supports anything."""
    return {
        kind
        for kind, abilities in info.abilities.items()
        if any(ability.support is Support.SUPPORTED for ability in abilities.values())
    }


INVENTORY: Final = requires_attribute("inventory", "a list of everything in the service")
ALL_TYPES: Final = Requirement(
    "resources of every type that the backend supports", _missing_types_reason
)
OTHER_SCOPE: Final = requires_attribute(
    "create_backend_in_other_scope", "a backend that looks at another project"
)
MAINTENANCE: Final = Requirement(
    "a maintenance that the backend declares",
    lambda _, info: "" if info.maintenance else "the backend declares no maintenance",
    declared=True,
)
EXCLUSIVE_MAINTENANCE: Final = requires_attribute(
    "exclusive_maintenance", "a maintenance that has what it works on to itself"
)
COPY: Final = requires_support(Support.SUPPORTED, Verb.COPY)
COPY_SOURCE: Final = requires_attribute(
    "create_copy_source", "a backend of another place, from which backups can be copied"
)
LOSE_COPY_SOURCE: Final = requires_attribute(
    "lose_copy_source", "another place that can be lost with all that is in it"
)
WORK_LIMIT: Final = Requirement(
    f"a limit of work at once that the backend declares, of at most {LARGEST_TRIED_LIMIT}",
    _missing_limit_reason,
    declared=True,
)
DEPENDENT_BACKUPS: Final = requires_attribute("dependent_options", "backups that depend on others")
OTHER_PLACE: Final = requires_attribute(
    "create_backend_in_other_place", "a backend as it would be on another host"
)
RENEWED_CREDENTIALS: Final = requires_attribute(
    "create_backend_with_renewed_credentials", "credentials that can be renewed"
)
SECRETS: Final = requires_attribute("secrets", "secrets in the configuration")
COMPOUND_TYPES: Final = requires_attribute("compound_types", "a type whose backups have members")
MULTI_PHASE_VERBS: Final = requires_attribute(
    "multi_phase_verbs", "a verb that takes several phases"
)
LATE_CALL_REJECTION: Final = requires_attribute(
    "rejects_late_calls", "a service that knows a late call by itself, and refuses it"
)
CLOCK: Final = requires_attribute("clock", "a clock of the service that can be turned")
OTHER_PROCESS: Final = requires_attribute(
    "backend_factory", "a backend that another Python process can make"
)
COVERED: Final = requires_support(Support.COVERED)
DELETE: Final = Requirement(
    "a type whose backups can be deleted",
    _missing_delete_reason,
    declared=True,
)
REUSED_IDS: Final = requires_attribute("reuse_ids", "a service that gives ids again")
DAMAGE: Final = requires_attribute("damage", "stored data that can be spoiled")
VERIFY: Final = requires_support(Support.SUPPORTED, Verb.VERIFY)
