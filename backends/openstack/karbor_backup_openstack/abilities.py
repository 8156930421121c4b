"""What a backend of an OpenStack service declares for each type of resource and verb."""

from collections.abc import Mapping

from karbor_backup_core import Ability, Json, Support, Verb
from karbor_backup_openstack.resource_types import COVERED


def declare_abilities(
    schemas: Mapping[str, Mapping[Verb, Json]],
) -> dict[str, Mapping[Verb, Ability]]:
    """Return the abilities of a backend, with the types that other resources cover.

    Args:
        schemas: those of the options of each verb, by type; none of them is of a covered type.
    """
    declared: dict[str, Mapping[Verb, Ability]] = {
        kind: {verb: Ability(Support.SUPPORTED, schema=schema) for verb, schema in verbs.items()}
        for kind, verbs in schemas.items()
    }
    named = {verb for verbs in schemas.values() for verb in verbs}
    verbs_of_types = [verb for verb in Verb if verb in named]
    for kind, by in COVERED.items():
        declared[kind] = dict.fromkeys(verbs_of_types, Ability(Support.COVERED, covered_by=by))
    return declared
