"""Validating options.

The options of a restore against the fake backend's schema: as `Backend` checks them before
anything begins, with every fault in words and its place; with a validator of `jsonschema` that is
kept; and with `jsonschema.validate`, which reads the schema anew each time.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

import jsonschema

from benchmarks.core.world import NAME, best_of, furnished, per_call
from benchmarks.measurement import OURS, Measurement
from benchmarks.workbench import Workbench
from karbor_backup_core import Backend, InvalidDocument, Verb
from karbor_backup_fake import Cloud

KEPT: Final = "jsonschema, validator kept"
ANEW: Final = "jsonschema.validate"

_TYPE: Final = "OS::Cinder::Volume"
_DOCUMENTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "valid": {"restore_name": "again", "in_place": False},
    "two faults": {"restore_nam": "again", "in_place": "no"},
}


def measure(workbench: Workbench) -> Iterator[Measurement]:
    """Measure options that fit, and options that do not."""
    calls, repeats = workbench.pick(2_000, 300), workbench.pick(5, 3)
    backend = Backend.of(NAME, furnished(Cloud(), []))
    schema = backend.ability(_TYPE, Verb.RESTORE).schema
    validator = jsonschema.Draft202012Validator(schema)
    for name, document in _DOCUMENTS.items():
        subjects = {
            OURS: per_call(partial(_check, backend, document), calls),
            KEPT: per_call(partial(_errors, validator, document), calls),
            ANEW: per_call(partial(_validate, document, schema), calls // 10),
        }
        for subject, seconds in zip(subjects, best_of(repeats, [*subjects.values()]), strict=True):
            yield Measurement(
                what="time to validate options",
                subject=subject,
                value=seconds * 1e6,
                unit="µs",
                parameters={"options": name},
            )


def _check(backend: Backend, document: Mapping[str, Any]) -> bool:
    try:
        backend.check_options(_TYPE, Verb.RESTORE, document)
    except InvalidDocument:
        return False
    return True


def _errors(validator: jsonschema.Draft202012Validator, document: Mapping[str, Any]) -> list[Any]:
    return list(validator.iter_errors(document))


def _validate(document: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    try:
        jsonschema.validate(document, schema, cls=jsonschema.Draft202012Validator)
    except jsonschema.ValidationError:
        return False
    return True
