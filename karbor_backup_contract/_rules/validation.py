"""Rules about what a backend refuses, and what it must not."""

import uuid

import attrs

from karbor_backup_contract._assertions import (
    require,
    require_backup,
    require_outcome,
    require_success,
)
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._sample_options import (
    free_text_options,
    invalid_options,
    max_length,
    optional_options,
)
from karbor_backup_contract._scenarios import (
    check_restore,
    check_restored_content,
    delete_restored,
    require_unchanged,
)
from karbor_backup_contract._violation import RuleViolation
from karbor_backup_contract.requirements import INVENTORY
from karbor_backup_core import (
    BackendError,
    Backup,
    InvalidDocument,
    InvalidInput,
    Json,
    Operation,
    ProgressState,
    Resource,
    Result,
    Unsupported,
    Verb,
)

UNDECLARED_TYPE = "Contract::Undeclared::Type"
NAMES = ("two words", "Zürich ☃ 東京")
RESOURCE_NAMES = ("-rf", "quotes \"' and $(echo) `echo`", "100%s {0} \\n", "n" * 200)
UNUSUAL_NAMES = ("-rf", "../up/and/away", "quotes \"' and $(echo) `echo`", "100%s {0} \\n")


@rule(
    "C-301",
    "What is not declared is refused with `Unsupported` before anything is begun.",
    "A user must learn it at once, not from a job that fails in the night.",
    INVENTORY,
)
def undeclared_type_is_refused(context: RuleContext) -> None:
    """Call each verb for a type that there is not, and each verb that a type does not have."""
    kind = context.type_supporting(Verb.PROTECT)
    resource = context.create_resource(kind)
    backup = context.protect(resource)
    before = context.inventory()
    refused = [(UNDECLARED_TYPE, verb) for verb in Verb]
    refused += [
        (each, verb)
        for each in context.types_supporting()
        for verb in Verb
        if not context.supports(each, verb)
    ]
    planned = context.record_submission(Verb.PROTECT, resource)
    for each, verb in refused:
        stranger = Resource(each, resource.id)
        operation = attrs.evolve(
            planned,
            id=str(uuid.uuid4()),
            verb=verb,
            resource=stranger,
            backup=None if verb is Verb.PROTECT else attrs.evolve(backup, resource=stranger),
        )
        try:
            answer = context.process.backend.call_verb(operation)
        except Unsupported:
            continue
        raise RuleViolation(f"{verb} of {each} is not declared, and answered {answer.state}")
    require_unchanged(context, before, "calls that were to be refused")


@rule(
    "C-302",
    "Options that do not fit are refused before anything is begun, each kind of fault.",
    "Half a job made of a misspelled option helps nobody.",
)
def invalid_options_are_refused(context: RuleContext) -> None:
    """Offer unknown, missing and mistyped options to every verb of every type."""
    for kind in context.types_supporting(Verb.PROTECT):
        resource = context.create_resource(kind)
        for verb in context.supported_verbs(kind):
            schema = context.process.backend.ability(kind, verb).schema
            for what, options in invalid_options(schema, context.options_for(verb, resource)):
                try:
                    context.process.backend.check_options(kind, verb, options)
                except InvalidDocument:
                    continue
                raise RuleViolation(f"{verb} of {kind} takes {what}: {options}")


@rule(
    "C-303",
    "Names with spaces and in any script are names.",
    "People name things in their own words.",
)
def plain_names_work(context: RuleContext) -> None:
    """Protect resources with such names under such names, and restore them under such names."""
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE)
    for name in NAMES:
        resource = attrs.evolve(context.create_resource(kind, name), name=name)
        protect = _options_with_name(context, Verb.PROTECT, resource, name)
        operation = require_success(context.finish(context.plan(Verb.PROTECT, resource, protect)))
        restore = _options_with_name(context, Verb.RESTORE, resource, name)
        backup = context.store.backup(operation.id)
        restored = require_success(context.finish(context.plan(Verb.RESTORE, backup, restore)))
        delete_restored(context, restored, context.restored_resource(restored))


@rule(
    "C-304",
    "A name that is odd, or as long as the schema lets it be, works, or is refused before "
    "anything is begun.",
    "Names have reached shells, paths, format strings and columns that were too short.",
    INVENTORY,
)
def unusual_names_work_or_are_refused(context: RuleContext) -> None:
    """Protect under names that a shell, a path or a format would read, and under long ones."""
    kind = context.type_supporting(Verb.PROTECT)
    resource = context.create_resource(kind)
    schema = context.process.backend.ability(kind, Verb.PROTECT).schema
    tried = [_options_with_name(context, Verb.PROTECT, resource, odd) for odd in UNUSUAL_NAMES]
    tried.append(
        {**tried[0], **{x: "n" * max_length(schema, x) for x in free_text_options(schema)}}
    )
    for options in tried:
        before = context.inventory()
        operation = context.process.driver.step(context.plan(Verb.PROTECT, resource, options))
        try:
            context.process.backend.call_verb(operation)
        except InvalidInput:
            require_unchanged(context, before, f"options that were refused: {options}")
        else:
            require_success(context.finish(context.restart(operation)))


@rule(
    "C-305",
    "A handle that is not its own is refused with an error of the contract, or fails.",
    "A handle written by a newer release must not be read as something else.",
    INVENTORY,
)
def unknown_handles_are_refused(context: RuleContext) -> None:
    """Work on a backup with a handle that no release has written."""
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    backup = context.protect(context.create_resource(kind))
    targets = context.targets_of(backup)
    before = context.inventory()
    for verb, target in targets:
        if not isinstance(target, Backup):
            continue
        strange = attrs.evolve(target, handle={"contract": ["strange"]})
        operation = context.record_submission(verb, strange)
        try:
            answer = context.process.call_hook(verb.value, operation=operation)
        except (BackendError, InvalidInput):
            continue
        except Exception as error:
            raise RuleViolation(f"{verb} of a strange handle raised {error!r}") from error
        require(answer.state is ProgressState.FAILED, f"{verb} of a strange handle {answer.state}")
    require_unchanged(context, before, "work on a strange handle")


@rule(
    "C-308",
    "An optional option alone works or is refused, leaves nothing then, and has no effect on the "
    "next operation.",
    "Options that nobody gives in tests are found out by those who need them.",
    INVENTORY,
)
def optional_options_work_alone(context: RuleContext) -> None:
    """Give each option that is not required, to a protect and to a restore, and then none."""
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE)
    backup = context.protect(context.create_resource(kind))
    for verb in (Verb.PROTECT, Verb.RESTORE):
        target = backup.resource if verb is Verb.PROTECT else backup
        given = context.options_for(verb, backup.resource)
        schema = context.process.backend.ability(kind, verb).schema
        for name, value in optional_options(schema):
            _try_option(context, verb, target, {**given, name: value})
        _check_result(context, context.run_successfully(verb, target))


@rule(
    "C-309",
    "A resource whose name is odd, or long, is protected and restored, or refused before anything "
    "is begun.",
    "Whoever named it did not think of shells, formats and columns.",
    INVENTORY,
    since="1.1",
)
def unusual_resource_names_work_or_are_refused(context: RuleContext) -> None:
    """Protect and restore resources that are named so that a shell or a format would read it."""
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE)
    for name in RESOURCE_NAMES:
        resource = context.create_resource(kind, name)
        before = context.inventory()
        try:
            operation = context.run(Verb.PROTECT, resource)
        except InvalidInput:
            continue
        if operation.outcome and operation.outcome.refused:
            require_unchanged(context, before, f"a refused protect of {name!r}")
        else:
            check_restore(context, require_backup(require_success(operation)))


def _try_option(context: RuleContext, verb: Verb, target: Resource | Backup, options: Json) -> None:
    before = context.inventory()
    try:
        operation = context.finish(context.plan(verb, target, options))
    except InvalidInput:
        require_unchanged(context, before, f"a {verb} with {options}, which was refused")
        return
    require_outcome(operation, Result.SUCCEEDED, Result.FAILED)
    if operation.outcome and operation.outcome.result is Result.SUCCEEDED:
        _check_result(context, operation)
    else:
        require(operation.outcome and operation.outcome.reason, f"no reason: {options}")
        require_unchanged(context, before, f"a {verb} with {options}, which failed")


def _check_result(context: RuleContext, operation: Operation) -> None:
    """Compare what comes back of a backup, or has come back by a restore."""
    if operation.verb is Verb.PROTECT:
        check_restore(context, context.store.backup(operation.id))
    else:
        check_restored_content(context, operation)


def _options_with_name(
    context: RuleContext, verb: Verb, resource: Resource, name: str
) -> dict[str, object]:
    schema = context.process.backend.ability(resource.type, verb).schema
    names = {key: name for key in free_text_options(schema) if len(name) <= max_length(schema, key)}
    return {**context.options_for(verb, resource), **names}
