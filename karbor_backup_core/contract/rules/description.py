"""Rules about what a backend says of itself, before any work."""

import contextlib

from karbor_backup_core.contract.bench import Fault
from karbor_backup_core.contract.expectations import require
from karbor_backup_core.contract.needs import COVERED, ELSEWHERE, HOLDINGS, fault, supported_kinds
from karbor_backup_core.contract.registry import all_rules, rule
from karbor_backup_core.contract.trial import DEADLINE, Trial
from karbor_backup_core.documents import from_document, to_document
from karbor_backup_core.errors import Transient, WrongScope
from karbor_backup_core.model import Ability, BackendInfo, Resource, Support, Verb
from karbor_backup_core.options import Validator
from karbor_backup_core.planning import plan

_WORDS = ("title", "description")
_FORMS = ("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref")


@rule(
    "C-101",
    "The core takes the backend: each hook is there exactly once, with known arguments, and "
    "`describe` answers what it must.",
    "A hook that is missing would be answered with None, without a word.",
)
def is_taken(trial: Trial) -> None:
    """A backend that the core does not take fails here, and nothing else is tried."""
    unknown = set(trial.bench.expected_failures) - {each.id for each in all_rules()}
    require(not unknown, f"expected_failures names no rule: {', '.join(sorted(unknown))}")
    require(trial.process.backend.info.name, "the backend has no name")


@rule(
    "C-102",
    "`describe` is the same from every object, and survives JSON.",
    "Operations and backups are matched to backends by what they say of themselves.",
)
def describes_itself_alike(trial: Trial) -> None:
    """Compare two objects' descriptions, and one with its own document."""
    one, other = trial.process.ask("describe"), trial.new_process().ask("describe")
    require(one == other, f"one object says {one}, another one {other}")
    read = from_document(BackendInfo, to_document(one))
    require(read == one, f"{one} comes back from JSON as {read}")


@rule(
    "C-103",
    "The class has a schema of its configuration that describes every setting and refuses "
    "unknown ones.",
    "A misspelled setting must be told, not passed over.",
)
def configuration_has_a_schema(trial: Trial) -> None:
    """Look at every setting, and offer one that there is not."""
    schema = trial.process.plugin.CONFIG_SCHEMA
    _described("setting", schema)
    faults = Validator(schema, "configuration").faults({"no_such_setting": 1})
    require(any("no_such_setting" in fault for fault in faults), "takes an unknown setting")


@rule(
    "C-104",
    "Every option has a type, and a title or a description.",
    "Karbor and others make forms of the schemas.",
)
def options_are_described(trial: Trial) -> None:
    """Look at every option of every verb of every type."""
    for kind, abilities in trial.process.backend.info.abilities.items():
        for verb, ability in abilities.items():
            _described(f"{verb} of {kind}: option", ability.schema)


@rule(
    "C-105",
    "What can be protected can be restored, and its backups deleted.",
    "A backup that cannot be restored is none; one that cannot be deleted costs for ever.",
)
def protect_is_not_alone(trial: Trial) -> None:
    """Look at the abilities."""
    found = supported_kinds(trial.process.backend.info)
    require(found, "the backend supports nothing at all")
    for kind in sorted(found):
        for verb in (Verb.PROTECT, Verb.RESTORE, Verb.DELETE):
            support = trial.process.backend.ability(kind, verb).support
            require(support is Support.SUPPORTED, f"{verb} of {kind} is {support}")


@rule(
    "C-106",
    "A type that is covered is covered for every verb that is declared, and ends at once with "
    "the words by what.",
    "Where nothing is stored there is nothing to restore, delete or verify.",
    COVERED,
    mandatory=False,
)
def covered_is_covered(trial: Trial) -> None:
    """Look at the abilities, and plan a protect."""
    backend = trial.process.backend
    for kind, abilities in backend.info.abilities.items():
        if not any(ability.support is Support.COVERED for ability in abilities.values()):
            continue
        for verb, ability in abilities.items():
            require(ability.support is not Support.SUPPORTED, f"{verb} of {kind} is not covered")
        outcome = trial.plan(Verb.PROTECT, Resource(kind, "contract")).outcome
        require(outcome and outcome.covered, f"protect of {kind} does not end as covered")


@rule(
    "C-107",
    "`scope` answers every object on the same service the same.",
    "An operation is gone on with only under the scope that it was begun under.",
)
def scope_is_the_same(trial: Trial) -> None:
    """Ask two objects."""
    one, other = trial.process.backend.scope(), trial.new_process().backend.scope()
    require(one == other, f"one object says {one!r}, another one {other!r}")


@rule(
    "C-108",
    "Another endpoint or project has another scope, so that its backups are refused.",
    "Under another scope 'not found' would read as 'lost', and a delete as done.",
    ELSEWHERE,
    mandatory=False,
)
def scope_tells_places_apart(trial: Trial) -> None:
    """Protect here, and try to restore there."""
    backup = trial.backup(trial.make(trial.kind(Verb.PROTECT, Verb.RESTORE)))
    assert trial.bench.elsewhere is not None  # noqa: S101 - the rule needs it
    there = trial.new_process(trial.bench.elsewhere()).backend
    options = trial.options(Verb.RESTORE, backup.resource)
    try:
        plan(there, Verb.RESTORE, backup, options, now=trial.clock(), deadline=DEADLINE)
    except WrongScope:
        return
    require(False, f"both places have the scope {there.scope()!r}")  # noqa: FBT003


@rule(
    "C-109",
    "`check` says of a service that is well that it is, and changes nothing.",
    "It is asked before work is begun, and by monitoring all day.",
    HOLDINGS,
)
def check_only_looks(trial: Trial) -> None:
    """Ask, and compare what there is before and after."""
    before = trial.holdings()
    health = trial.process.backend.health()
    require(health.ok, f"check says of a service that is well: {health.summary}")
    require(health.summary, "check has no summary")
    require(trial.holdings() == before, "check has changed what is in the service")


@rule(
    "C-110",
    "Resources of every type that the backend supports are put to the test.",
    "What nobody has tried is not known to work.",
)
def everything_is_tried(trial: Trial) -> None:
    """Compare what is declared with what the bench makes."""
    missing = supported_kinds(trial.process.backend.info) - set(trial.bench.kinds)
    require(not missing, f"the bench makes no resource of type {', '.join(sorted(missing))}")


@rule(
    "C-111",
    "`check` says of a service that refuses that it is not well, or raises `Transient`.",
    "An answer from memory would call well what has been down for hours.",
    fault(Fault.BUSY),
    mandatory=False,
)
def check_asks_the_service(trial: Trial) -> None:
    """Ask while the service is well, and while it refuses."""
    backend = trial.process.backend
    backend.health()
    trial.arm(Fault.BUSY)
    with contextlib.suppress(Transient):
        require(not backend.health().ok, "check says of a service that refuses that it is well")


def _described(what: str, schema: Ability | object) -> None:
    properties = schema.get("properties", {}) if isinstance(schema, dict) else {}
    for name, inner in properties.items():
        require(any(inner.get(word) for word in _WORDS), f"{what} {name} has no title")
        require(any(form in inner for form in _FORMS), f"{what} {name} has no type")
