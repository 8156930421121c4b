"""Rules about what a backend says of itself, before any work."""

import contextlib
from datetime import timedelta
from typing import Final

from karbor_backup_contract._assertions import require, require_backup, require_success
from karbor_backup_contract._context import DEADLINE, RuleContext
from karbor_backup_contract._registry import all_rules, rule
from karbor_backup_contract._scenarios import check_restore
from karbor_backup_contract.harness import Fault
from karbor_backup_contract.requirements import (
    COVERED,
    INVENTORY,
    OTHER_SCOPE,
    RENEWED_CREDENTIALS,
    requires_fault,
    supported_types,
)
from karbor_backup_core import (
    Ability,
    BackendInfo,
    Resource,
    Support,
    Transient,
    Verb,
    WrongScope,
    plan_restore,
)
from karbor_backup_core.documents import from_document, to_document
from karbor_backup_core.json_schema.validator import Validator

_DAY: Final = timedelta(days=1)
_DESCRIPTION_KEYS = ("title", "description")
_TYPE_KEYS = ("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref")


@rule(
    "C-101",
    "The core takes the backend: each hook is there exactly once, with known arguments, and "
    "`describe` answers what it must.",
    "A hook that is missing would be answered with None, without a word.",
)
def backend_loads(context: RuleContext) -> None:
    """Fail where the core refuses the backend, since nothing else can be tried then."""
    unknown = set(context.harness.expected_failures) - {each.id for each in all_rules()}
    require(not unknown, f"expected_failures names no rule: {', '.join(sorted(unknown))}")
    require(context.process.backend.info.name, "the backend has no name")


@rule(
    "C-102",
    "`describe` is the same from every object, and survives JSON.",
    "Operations and backups are matched to backends by what they say of themselves.",
)
def description_is_stable(context: RuleContext) -> None:
    """Compare two objects' descriptions, and one with its own document."""
    one, other = (
        context.process.call_hook("describe"),
        context.start_process().call_hook("describe"),
    )
    require(one == other, f"one object says {one}, another one {other}")
    read = from_document(BackendInfo, to_document(one))
    require(read == one, f"{one} comes back from JSON as {read}")


@rule(
    "C-103",
    "The class has a schema of its configuration that describes every setting and refuses "
    "unknown ones.",
    "A misspelled setting must be told, not passed over.",
)
def configuration_schema_is_complete(context: RuleContext) -> None:
    """Look at every setting, and offer one that there is not."""
    schema = context.process.plugin.CONFIG_SCHEMA
    _require_described("setting", schema)
    faults = Validator(schema, "configuration").find_errors({"no_such_setting": 1})
    require(any("no_such_setting" in fault for fault in faults), "takes an unknown setting")


@rule(
    "C-104",
    "Every option has a type, and a title or a description.",
    "Karbor and others make forms of the schemas.",
)
def options_are_described(context: RuleContext) -> None:
    """Look at every option of every verb of every type."""
    for kind, abilities in context.process.backend.info.abilities.items():
        for verb, ability in abilities.items():
            _require_described(f"{verb} of {kind}: option", ability.schema)


@rule(
    "C-105",
    "What can be protected can be restored, and its backups deleted.",
    "A backup that cannot be restored is none; one that cannot be deleted costs for ever.",
)
def protected_types_are_restorable(context: RuleContext) -> None:
    """Look at the abilities."""
    found = supported_types(context.process.backend.info)
    require(found, "the backend supports nothing at all")
    for kind in sorted(found):
        for verb in (Verb.PROTECT, Verb.RESTORE, Verb.DELETE):
            support = context.process.backend.ability(kind, verb).support
            require(support is Support.SUPPORTED, f"{verb} of {kind} is {support}")


@rule(
    "C-106",
    "A type that is covered is covered for every verb that is declared, and ends at once with "
    "the words by what.",
    "Where nothing is stored there is nothing to restore, delete or verify.",
    COVERED,
    mandatory=False,
)
def covered_types_end_as_covered(context: RuleContext) -> None:
    """Look at the abilities, and plan a protect."""
    backend = context.process.backend
    for kind, abilities in backend.info.abilities.items():
        if not any(ability.support is Support.COVERED for ability in abilities.values()):
            continue
        for verb, ability in abilities.items():
            require(ability.support is not Support.SUPPORTED, f"{verb} of {kind} is not covered")
        outcome = context.plan(Verb.PROTECT, Resource(kind, "contract")).outcome
        require(outcome and outcome.covered, f"protect of {kind} does not end as covered")


@rule(
    "C-107",
    "`scope` answers every object on the same service the same, on another day too.",
    "An operation is gone on with only under the scope that it was begun under.",
)
def scope_is_stable(context: RuleContext) -> None:
    """Ask two objects, the second one a day later where the clock can be turned."""
    one = context.process.backend.scope()
    if context.harness.clock is not None:
        context.wait(_DAY)
    other = context.start_process().backend.scope()
    require(one == other, f"one object says {one!r}, another one {other!r}")


@rule(
    "C-108",
    "Another endpoint or project has another scope, so that its backups are refused.",
    "Under another scope 'not found' would read as 'lost', and a delete as done.",
    OTHER_SCOPE,
    mandatory=False,
)
def scope_differs_between_projects(context: RuleContext) -> None:
    """Protect here, and try to restore there."""
    backup = context.protect(
        context.create_resource(context.type_supporting(Verb.PROTECT, Verb.RESTORE))
    )
    assert context.harness.create_backend_in_other_scope is not None  # noqa: S101 - the rule needs it
    there = context.start_process(context.harness.create_backend_in_other_scope()).backend
    options = context.options_for(Verb.RESTORE, backup.resource)
    try:
        plan_restore(there, backup, options, now=context.clock(), deadline=DEADLINE)
    except WrongScope:
        return
    require(False, f"both places have the scope {there.scope()!r}")  # noqa: FBT003


@rule(
    "C-109",
    "`check` says of a service that is well that it is, and changes nothing.",
    "It is asked before work is begun, and by monitoring all day.",
    INVENTORY,
)
def check_is_read_only(context: RuleContext) -> None:
    """Ask, and compare what there is before and after."""
    before = context.inventory()
    health = context.process.backend.health()
    require(health.ok, f"check says of a service that is well: {health.summary}")
    require(health.summary, "check has no summary")
    require(context.inventory() == before, "check has changed what is in the service")


@rule(
    "C-110",
    "Resources of every type that the backend supports are put to the test.",
    "What nobody has tried is not known to work.",
)
def all_supported_types_are_tested(context: RuleContext) -> None:
    """Compare what is declared with what the harness makes."""
    missing = supported_types(context.process.backend.info) - set(context.harness.resource_types)
    require(not missing, f"the harness makes no resource of type {', '.join(sorted(missing))}")


@rule(
    "C-111",
    "`check` says of a service that refuses that it is not well, or raises `Transient`.",
    "An answer from memory would call well what has been down for hours.",
    requires_fault(Fault.BUSY),
    mandatory=False,
)
def check_asks_the_service(context: RuleContext) -> None:
    """Ask while the service is well, and while it refuses."""
    backend = context.process.backend
    backend.health()
    context.inject_fault(Fault.BUSY)
    with contextlib.suppress(Transient):
        require(not backend.health().ok, "check says of a service that refuses that it is well")


@rule(
    "C-112",
    "What the harness lists grows with a resource and with its backup, and shrinks with a delete.",
    "A harness that sees nothing calls everything conformant.",
    INVENTORY,
)
def inventory_shows_backups(context: RuleContext) -> None:
    """Compare what is listed before and after."""
    kind = context.type_supporting(Verb.PROTECT)
    empty = context.inventory().data
    resource = context.create_resource(kind)
    alone = context.inventory().data
    require(alone - empty, f"the inventory does not list {kind} {resource.id}, just made")
    backup = context.protect(resource)
    both = context.inventory().data
    require(both - alone, f"the inventory does not list the backup of {kind} {resource.id}")
    if context.supports(kind, Verb.DELETE):
        context.run_successfully(Verb.DELETE, backup)
        left = context.inventory().data
        require(both - left, "the inventory still lists all of a backup that was deleted")
    context.harness.resources.delete(resource)
    gone = alone - context.inventory().data
    require(gone, f"the inventory still lists {kind} {resource.id}, which is gone")


@rule(
    "C-113",
    "Under renewed credentials the same place has the same scope, and what was begun is gone on "
    "with.",
    "Passwords and tokens are changed every few weeks, and backups are kept for years.",
    RENEWED_CREDENTIALS,
    mandatory=False,
    since="1.1",
)
def credentials_may_be_renewed(context: RuleContext) -> None:
    """Renew the credentials while a protect goes on; then restore."""
    assert context.harness.create_backend_with_renewed_credentials is not None  # noqa: S101 - the rule needs it
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE)
    scope = context.process.backend.scope()
    operation = context.start(Verb.PROTECT, context.create_resource(kind))
    renewed = context.harness.create_backend_with_renewed_credentials()
    again = context.start_process(renewed).backend.scope()
    require(again == scope, f"with other credentials the scope {scope!r} is {again!r}")
    operation = context.finish(context.restart(operation, renewed))
    check_restore(context, require_backup(require_success(operation)))


def _require_described(what: str, schema: Ability | object) -> None:
    properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
    for name, inner in properties.items():
        require(any(inner.get(word) for word in _DESCRIPTION_KEYS), f"{what} {name} has no title")
        require(any(form in inner for form in _TYPE_KEYS), f"{what} {name} has no type")
