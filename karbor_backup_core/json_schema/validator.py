"""Options and configuration against their JSON Schema: all faults of a document at once."""

import functools
import json
import threading
from typing import TYPE_CHECKING, Any, Final

from karbor_backup_core._errors import ContractViolation, InvalidDocument, truncate_faults
from karbor_backup_core._serialization.json_values import (
    NOT_JSON_ERRORS,
    find_non_json,
    to_plain_json,
)
from karbor_backup_core.json_schema.subschemas import (
    Schema,
    find_secret_paths,
    forbid_unknown_properties,
)

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


class Validator:
    """Checks documents against one schema (draft 2020-12).

    Properties that the schema does not name are refused even where it does not say so. A
    ``default`` is an annotation: it is neither filled in nor checked. The schema itself is read
    at the first use, once; any thread may be the first.

    Args:
        schema: the schema of a JSON object.
        what: the document in words, such as "options for protect of OS::Nova::Server".
    """

    def __init__(self, schema: Schema, what: str) -> None:
        self.what = what
        self._schema = schema
        self._lock = threading.Lock()
        self._built: Draft202012Validator | None = None

    def check(self, document: Any) -> None:
        """Let a document pass that fits.

        Raises:
            InvalidDocument: with all faults, each with its JSON path and the remedy. The value of
                a property marked ``"writeOnly": true`` is in none of them.
            ContractViolation: the schema is no schema.
        """
        faults = self.find_errors(document)
        if faults:
            raise InvalidDocument(self.what, faults)

    def find_errors(self, document: Any) -> list[str]:
        """Return all faults of a document; none when it fits.

        Raises:
            ContractViolation: the schema is no schema.
        """
        validator = self.prepare()
        try:
            values = to_plain_json(document)
        except NOT_JSON_ERRORS:
            return find_non_json(document)
        from referencing.exceptions import Unresolvable

        try:
            errors = list(validator.iter_errors(values))
        except Unresolvable as error:
            raise ContractViolation(
                f"{self.what}: the schema refers to {error.ref!r}, which is not in it"
            ) from error
        if not errors:
            return []
        from karbor_backup_core.json_schema._error_messages import format_errors

        schema: Any = validator.schema
        return format_errors(errors, schema, find_secret_paths(schema, values))

    def prepare(self) -> "Draft202012Validator":
        """Read the schema now, so that a fault in it shows before the first document comes.

        Raises:
            ContractViolation: the schema is no schema, or is not of draft 2020-12.
        """
        with self._lock:
            if self._built is None:
                self._built = self._compile()
            return self._built

    def _compile(self) -> "Draft202012Validator":
        from jsonschema import SchemaError

        try:
            schema = to_plain_json(self._schema)
        except NOT_JSON_ERRORS:
            summary = "; ".join(truncate_faults(find_non_json(self._schema)))
            raise ContractViolation(f"{self.what}: the schema is no JSON: {summary}") from None
        try:
            validator = _build_validator(json.dumps(schema))
        except SchemaError as error:
            raise ContractViolation(
                f"{self.what}: the schema is no JSON Schema: {error.json_path}: {error.message}"
            ) from error
        if schema.get("$schema", DIALECT).rstrip("#") != DIALECT:
            raise ContractViolation(
                f"{self.what}: the schema is of {schema['$schema']}: write it for {DIALECT}"
            )
        return validator


@functools.lru_cache(maxsize=512)
def _build_validator(schema_text: str) -> "Draft202012Validator":
    """Build a validator once for all that use the same schema: its check takes milliseconds.

    Raises:
        SchemaError: it is no schema.
    """
    from jsonschema import Draft202012Validator
    from referencing.jsonschema import EMPTY_REGISTRY

    schema = json.loads(schema_text)
    Draft202012Validator.check_schema(schema)
    # With a registry of its own jsonschema never fetches a reference from the network.
    return Draft202012Validator(forbid_unknown_properties(schema), registry=EMPTY_REGISTRY)
