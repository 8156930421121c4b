"""Validating options.

The options of a restore against the fake backend's schema: as `Backend` checks them before
anything begins, with every fault in words and its place; with a validator of `jsonschema` that is
kept; and with `jsonschema.validate`, which reads the schema anew each time.
"""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

import jsonschema

from benchmarks.context import BenchmarkContext
from benchmarks.core.fake_operations import NAME, call_timer, make_backend, measure_minimum
from benchmarks.measurement import OURS, Measurement
from karbor_backup_core import Backend, InvalidDocument, Verb
from karbor_backup_fake import FakeCloud

REUSED_VALIDATOR: Final = "jsonschema, validator kept"
NEW_VALIDATOR: Final = "jsonschema.validate"

_TYPE: Final = "OS::Cinder::Volume"
_DOCUMENTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "valid": {"restore_name": "again", "in_place": False},
    "two faults": {"restore_nam": "again", "in_place": "no"},
}


def measure(context: BenchmarkContext) -> Iterator[Measurement]:
    """Measure options that fit, and options that do not."""
    calls, repeats = context.choose(2_000, 300), context.choose(5, 3)
    backend = Backend.from_plugin(NAME, make_backend(FakeCloud(), []))
    schema = backend.ability(_TYPE, Verb.RESTORE).schema
    validator = jsonschema.Draft202012Validator(schema)
    for name, document in _DOCUMENTS.items():
        subjects = {
            OURS: call_timer(partial(_is_valid_for_backend, backend, document), calls),
            REUSED_VALIDATOR: call_timer(partial(_list_errors, validator, document), calls),
            NEW_VALIDATOR: call_timer(partial(_is_valid, document, schema), calls // 10),
        }
        for subject, seconds in zip(
            subjects, measure_minimum(repeats, [*subjects.values()]), strict=True
        ):
            yield Measurement(
                what="time to validate options",
                subject=subject,
                value=seconds * 1e6,
                unit="µs",
                parameters={"options": name},
            )


def _is_valid_for_backend(backend: Backend, document: Mapping[str, Any]) -> bool:
    try:
        backend.check_options(_TYPE, Verb.RESTORE, document)
    except InvalidDocument:
        return False
    return True


def _list_errors(
    validator: jsonschema.Draft202012Validator, document: Mapping[str, Any]
) -> list[Any]:
    return list(validator.iter_errors(document))


def _is_valid(document: Mapping[str, Any], schema: Mapping[str, Any]) -> bool:
    try:
        jsonschema.validate(document, schema, cls=jsonschema.Draft202012Validator)
    except jsonschema.ValidationError:
        return False
    return True
