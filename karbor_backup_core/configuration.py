"""The configuration file: what may stand in it, and what it says.

A distribution may add a section of its own with an entry point in
``karbor_backup.configuration_sections``: its name is that of the section, and its value is the JSON
Schema of what may stand there.
"""

import importlib.metadata
import tomllib
from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import attrs

from karbor_backup_core._errors import InvalidDocument, InvalidInput, MissingLibrary
from karbor_backup_core._lifecycle.policy import Policy
from karbor_backup_core._model import Json
from karbor_backup_core.discovery import unavailable_reason
from karbor_backup_core.durations import parse_duration
from karbor_backup_core.files import read_bytes
from karbor_backup_core.json_schema.subschemas import (
    SECRET_REFERENCE_SCHEMA,
    allow_secret_references,
)
from karbor_backup_core.json_schema.validator import Validator
from karbor_backup_core.json_schema.value_checks import find_unusable_value
from karbor_backup_core.secrets import Secret, wrap_secrets

CONFIGURATION_VARIABLE: Final = "KARBOR_BACKUP_CONFIG"
"""The environment variable that names the file where a program or a person does not."""

SECTIONS_GROUP: Final = "karbor_backup.configuration_sections"

_POLICY_SCHEMAS: Final[Mapping[Any, Json]] = {
    timedelta: {"type": ["number", "string"], "description": "seconds, or text like 5m"},
    float: {"type": "number", "exclusiveMinimum": 0},
    int: {"type": "integer", "minimum": 1},
}
"""What may stand for an attribute of a policy, by its type."""

SCHEMA: Final[Json] = {
    "title": "Configuration of karbor-backup",
    "type": "object",
    "properties": {
        "default_backend": {"type": "string", "minLength": 1},
        "store": {
            "type": "object",
            "properties": {
                "url": {"type": "string", "minLength": 1, "writeOnly": True},
                "risk_corruption_on_network_filesystem": {"type": "boolean"},
            },
            "additionalProperties": False,
        },
        "documents": {
            "type": "object",
            "properties": {
                # A key that is written out would be in every copy of this file.
                "keys": {"type": "array", "items": SECRET_REFERENCE_SCHEMA},
                "require_signature": {"type": "boolean"},
            },
            "additionalProperties": False,
        },
        "policy": {
            "type": "object",
            "properties": {
                field.name: _POLICY_SCHEMAS[field.type] for field in attrs.fields(Policy)
            },
            "additionalProperties": False,
        },
        "backends": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "properties": {"use": {"type": "string", "minLength": 1}},
                "additionalProperties": True,
            },
        },
    },
    "additionalProperties": False,
}
"""What may stand in the file. The rest of a backend's section is that backend's own to judge."""


@attrs.frozen
class BackendSection:
    """One configured backend.

    Attributes:
        name: the name it is configured under.
        use: the implementation: the name of its entry point.
        configuration: its own keys, as they stand in the file.
    """

    name: str
    use: str
    configuration: Json = attrs.field(factory=dict, repr=False)


@attrs.frozen
class Configuration:
    """What the file says, or the defaults where there is none.

    Attributes:
        path: the file; None where there is none.
        store_url: where operations and backups are kept; None for the default place.
        risk_network_filesystem: use an SQLite store also where machines share the file system.
        policy: how patient operations are.
        backends: the configured backends by name; None where the file names none, and every
            installed one can be used as it is.
        default_backend: the backend to use where none is named.
        document_keys: sign documents of backups, the first, and check them, each of them.
        require_signature: whether a document from outside needs a signature.
        sections: the sections of other distributions by name, the secrets in them wrapped.
    """

    path: Path | None = None
    store_url: Secret | None = None
    risk_network_filesystem: bool = False
    policy: Policy = attrs.field(factory=Policy)
    backends: Mapping[str, BackendSection] | None = None
    default_backend: str = ""
    document_keys: tuple[Secret, ...] = ()
    require_signature: bool = False
    sections: Mapping[str, Json] = attrs.field(factory=dict)


def load_configuration(path: Path | None) -> Configuration:
    """Read a configuration file; without one, answer the defaults.

    Raises:
        InvalidInput: it cannot be read, or is not TOML.
        InvalidDocument: it does not fit; all faults are named.
        MissingLibrary: it has a section of another distribution, which cannot be loaded.
        ContractViolation: the schema of such a section is none.
    """
    if path is None:
        return Configuration()
    document = _parse_toml(path)
    added = _load_section_schemas(path, document.keys() - SCHEMA["properties"].keys())
    schema = {**SCHEMA, "properties": {**SCHEMA["properties"], **added}}
    if faults := _find_errors(document, schema):
        raise InvalidDocument(f"configuration {path}", faults)
    sections = document.get("backends")
    wrapped = wrap_secrets(schema, document)
    documents: Mapping[str, Any] = wrapped.get("documents", {})
    store: Mapping[str, Any] = wrapped.get("store", {})
    return Configuration(
        path=path,
        store_url=store.get("url"),
        risk_network_filesystem=store.get("risk_corruption_on_network_filesystem", False),
        policy=Policy(**_parse_policy(document.get("policy", {}))),
        backends=None if sections is None else _parse_sections(sections),
        default_backend=document.get("default_backend", ""),
        document_keys=tuple(documents.get("keys", ())),
        require_signature=documents.get("require_signature", False),
        sections={name: wrapped[name] for name in added},
    )


def _load_section_schemas(path: Path, names: Collection[str]) -> dict[str, Json]:
    """Return the schemas of the sections that other distributions add; the others are unknown."""
    points = importlib.metadata.entry_points(group=SECTIONS_GROUP) if names else ()
    return {point.name: _load_schema(path, point) for point in points if point.name in names}


def _load_schema(path: Path, point: importlib.metadata.EntryPoint) -> Json:
    section = f"configuration {path}: section [{point.name}]"
    try:
        schema = dict(point.load())
    except Exception as error:
        reason = unavailable_reason(point, error)
        raise MissingLibrary(f"{section} cannot be read: {reason}") from error
    # Before the schema becomes a part of ours, so that a fault in it is not taken for ours.
    Validator(schema, section).prepare()
    return schema


def _parse_toml(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(read_bytes(path).decode())
    except OSError as error:
        raise InvalidInput(
            f"configuration {path}: it cannot be read: {error.strerror or error}"
        ) from None
    except UnicodeDecodeError:
        raise InvalidInput(f"configuration {path}: it is not UTF-8 text") from None
    except RecursionError:
        raise InvalidInput(f"configuration {path}: it is nested too deeply") from None
    except ValueError as error:
        # Not only TOMLDecodeError: integers of thousands of digits raise a plain one.
        raise InvalidInput(f"configuration {path}: it is not TOML: {error}") from None
    if fault := find_unusable_value(document):
        raise InvalidInput(f"configuration {path}: {fault}")
    return document


def _find_errors(document: Json, schema: Json) -> list[str]:
    """Return what is wrong with the file, apart from the backends' own keys."""
    faults = Validator(allow_secret_references(schema), "configuration").find_errors(document)
    if faults:
        return faults
    faults = _find_policy_errors(document.get("policy", {}))
    documents = document.get("documents", {})
    if documents.get("require_signature") and not documents.get("keys"):
        faults.append("$.documents.require_signature: it needs a key in documents.keys")
    return faults


def _find_policy_errors(values: Json) -> list[str]:
    faults = []
    for name, value in values.items():
        try:
            _parse_policy_value(name, value)
        except ValueError as error:
            faults.append(f"$.policy.{name}: {error}")
    if not faults:
        try:
            Policy(**_parse_policy(values))
        except ValueError as error:
            # It names the field as "policy lease", which is the place of the fault already.
            faults.append(f"$.{str(error).replace('policy ', 'policy.', 1)}")
    return faults


def _parse_policy(values: Json) -> dict[str, Any]:
    return {name: _parse_policy_value(name, value) for name, value in values.items()}


def _parse_policy_value(name: str, value: Any) -> Any:
    is_duration = attrs.fields_dict(Policy)[name].type is timedelta
    return parse_duration(str(value)) if is_duration else value


def _parse_sections(sections: Json) -> dict[str, BackendSection]:
    return {
        name: BackendSection(
            name=name,
            use=section.get("use", name),
            configuration={key: value for key, value in section.items() if key != "use"},
        )
        for name, section in sections.items()
    }
