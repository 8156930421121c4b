"""Rules about what a backend refuses, and what it must not."""

import uuid

import attrs

from karbor_backup_core.contract.broken import Broken
from karbor_backup_core.contract.expectations import require, succeeded
from karbor_backup_core.contract.lives import discard, unchanged
from karbor_backup_core.contract.needs import HOLDINGS
from karbor_backup_core.contract.registry import rule
from karbor_backup_core.contract.samples import free_texts, longest, misfits
from karbor_backup_core.contract.trial import Trial
from karbor_backup_core.errors import (
    BackendError,
    InvalidDocument,
    InvalidInput,
    Unsupported,
)
from karbor_backup_core.model import ProgressState, Resource, Verb

UNDECLARED = "Contract::Undeclared::Type"
NAMES = ("two words", "Zürich ☃ 東京")
ODD = ("-rf", "../up/and/away", "quotes \"' and $(echo) `echo`", "100%s {0} \\n")


@rule(
    "C-301",
    "What is not declared is refused with `Unsupported` before anything is begun.",
    "A user must learn it at once, not from a job that fails in the night.",
    HOLDINGS,
)
def undeclared_is_refused(trial: Trial) -> None:
    """Call each verb for a type that there is not, and each verb that a type does not have."""
    kind = trial.kind(Verb.PROTECT)
    resource = trial.make(kind)
    backup = trial.backup(resource)
    before = trial.holdings()
    refused = [(UNDECLARED, verb) for verb in Verb]
    refused += [
        (each, verb) for each in trial.kinds() for verb in Verb if not trial.supports(each, verb)
    ]
    planned = trial.submitting(Verb.PROTECT, resource)
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
            answer = trial.process.backend.call(operation)
        except Unsupported:
            continue
        raise Broken(f"{verb} of {each} is not declared, and answered {answer.state}")
    unchanged(trial, before, "calls that were to be refused")


@rule(
    "C-302",
    "Options that do not fit are refused before anything is begun, each kind of fault.",
    "Half a job made of a misspelled option helps nobody.",
)
def misfitting_options_are_refused(trial: Trial) -> None:
    """Offer unknown, missing and mistyped options to every verb of every type."""
    for kind in trial.kinds(Verb.PROTECT):
        resource = trial.make(kind)
        for verb in trial.verbs(kind):
            schema = trial.process.backend.ability(kind, verb).schema
            for what, options in misfits(schema, trial.options(verb, resource)):
                try:
                    trial.process.backend.check_options(kind, verb, options)
                except InvalidDocument:
                    continue
                raise Broken(f"{verb} of {kind} takes {what}: {options}")


@rule(
    "C-303",
    "Names with spaces and in any script are names.",
    "People name things in their own words.",
)
def plain_names_work(trial: Trial) -> None:
    """Protect resources with such names under such names, and restore them under such names."""
    kind = trial.kind(Verb.PROTECT, Verb.RESTORE)
    for name in NAMES:
        resource = attrs.evolve(trial.make(kind, name), name=name)
        protect = _named(trial, Verb.PROTECT, resource, name)
        operation = succeeded(trial.finish(trial.plan(Verb.PROTECT, resource, protect)))
        restore = _named(trial, Verb.RESTORE, resource, name)
        backup = trial.store.backup(operation.id)
        restored = succeeded(trial.finish(trial.plan(Verb.RESTORE, backup, restore)))
        discard(trial, restored, trial.restored(restored))


@rule(
    "C-304",
    "A name that is odd, or as long as the schema lets it be, works, or is refused before "
    "anything is begun.",
    "Names have reached shells, paths, format strings and columns that were too short.",
    HOLDINGS,
)
def odd_names_work_or_are_refused(trial: Trial) -> None:
    """Protect under names that a shell, a path or a format would read, and under long ones."""
    kind = trial.kind(Verb.PROTECT)
    resource = trial.make(kind)
    schema = trial.process.backend.ability(kind, Verb.PROTECT).schema
    tried = [_named(trial, Verb.PROTECT, resource, odd) for odd in ODD]
    tried.append({**tried[0], **{x: "n" * longest(schema, x) for x in free_texts(schema)}})
    for options in tried:
        before = trial.holdings()
        operation = trial.process.driver.step(trial.plan(Verb.PROTECT, resource, options))
        try:
            trial.process.backend.call(operation)
        except InvalidInput:
            unchanged(trial, before, f"options that were refused: {options}")
        else:
            succeeded(trial.finish(trial.restart(operation)))


@rule(
    "C-305",
    "A handle that is not its own is refused with an error of the contract, or fails.",
    "A handle written by a newer release must not be read as something else.",
    HOLDINGS,
)
def strange_handles_are_refused(trial: Trial) -> None:
    """Restore and delete a backup with a handle that no release has written."""
    kind = trial.kind(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    backup = attrs.evolve(trial.backup(trial.make(kind)), handle={"contract": ["strange"]})
    before = trial.holdings()
    for verb in (Verb.RESTORE, Verb.DELETE):
        operation = trial.submitting(verb, backup)
        try:
            answer = trial.process.ask(verb.value, operation=operation)
        except (BackendError, InvalidInput):
            continue
        except Exception as error:
            raise Broken(f"{verb} of a strange handle raised {error!r}") from error
        require(answer.state is ProgressState.FAILED, f"{verb} of a strange handle {answer.state}")
    unchanged(trial, before, "work on a strange handle")


def _named(trial: Trial, verb: Verb, resource: Resource, name: str) -> dict[str, object]:
    schema = trial.process.backend.ability(resource.type, verb).schema
    names = {key: name for key in free_texts(schema) if len(name) <= longest(schema, key)}
    return {**trial.options(verb, resource), **names}
