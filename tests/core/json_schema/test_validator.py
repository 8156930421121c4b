"""Documents against a JSON Schema: all faults at once, each with the remedy."""

import datetime as dt
import http.server
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import ContractViolation, InvalidDocument
from karbor_backup_core.json_schema.subschemas import allow_secret_references
from karbor_backup_core.json_schema.validator import Validator
from karbor_backup_core.secrets import Secret
from tests.support.strategies import json_values

# As the specification of the Freezer protection plugin gives them: the default is no string.
PROTECT: dict[str, Any] = {
    "title": "Freezer Protection Options",
    "type": "object",
    "properties": {
        "backup_name": {
            "type": "string",
            "title": "Backup Name",
            "description": "The name of the backup.",
            "default": None,
        },
        "description": {"type": "string", "title": "Description"},
    },
    "required": ["backup_name"],
}

STORAGE: dict[str, Any] = {
    "oneOf": [
        {
            "properties": {"kind": {"const": "local"}, "path": {"type": "string"}},
            "required": ["kind", "path"],
        },
        {
            "properties": {
                "kind": {"const": "s3"},
                "key": {"type": "string", "minLength": 8, "writeOnly": True},
            },
            "required": ["kind", "key"],
        },
    ]
}


def find_errors(schema: dict[str, Any], document: Any) -> tuple[str, ...]:
    try:
        Validator(schema, "options").check(document)
    except InvalidDocument as error:
        return error.faults
    return ()


def test_the_schemas_of_the_specification_are_taken_as_they_are() -> None:
    assert not find_errors(PROTECT, {"backup_name": "nightly", "description": "of the volume"})


def test_all_faults_are_reported_at_once_with_place_and_remedy() -> None:
    document = {"backup_nam": "x", "description": 5, "other": {}}
    assert set(find_errors(PROTECT, document)) == {
        "$.backup_name: missing: give it",
        "$.backup_nam: unknown: did you mean 'backup_name'?",
        "$.description: 5: give text",
        "$.other: unknown: remove it, or use one of: backup_name, description",
    }


@pytest.mark.parametrize("document", [None, [], "text", 5, True])
@pytest.mark.parametrize("schema", [{}, PROTECT])
def test_what_is_no_object_is_refused(schema: dict[str, Any], document: Any) -> None:
    with pytest.raises(InvalidDocument, match=r"options: .*give an object") as caught:
        Validator(schema, "options").check(document)
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize("schema", [{}, {"type": "object"}, {"properties": {}}])
def test_a_schema_that_names_nothing_allows_nothing(schema: dict[str, Any]) -> None:
    assert not find_errors(schema, {})
    assert find_errors(schema, {"any": 1}) == ("$.any: unknown: remove it",)


@pytest.mark.parametrize(
    ("schema", "document"),
    [
        ({"additionalProperties": {"type": "string"}}, {"tag": "blue"}),
        ({"unevaluatedProperties": True}, {"tag": "blue"}),
        ({"allOf": [{"additionalProperties": {"type": "string"}}]}, {"tag": "blue"}),
        (
            {"properties": {"a": {"properties": {"b": {}}, "unevaluatedProperties": True}}},
            {"a": {"tag": "blue"}},
        ),
        ({"patternProperties": {"^x-": {}}}, {"x-tag": 1}),
        ({"properties": {"free": {"type": "object"}}}, {"free": {"any": {"thing": 1}}}),
        (
            {
                "properties": {"a": {"allOf": [{"$ref": "#/$defs/base"}], "properties": {"c": {}}}},
                "$defs": {"base": {"properties": {"b": {}}}},
            },
            {"a": {"b": 1, "c": 2}},
        ),
        ({"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}, {"a": 1, "b": 2}),
        (
            {
                "properties": {"kind": {}},
                "if": {"properties": {"kind": {"const": 1}}},
                "then": {"properties": {"one": {}}},
            },
            {"kind": 1, "one": 1},
        ),
    ],
)
def test_property_allowed_by_any_subschema_is_allowed(
    schema: dict[str, Any], document: dict[str, Any]
) -> None:
    assert not find_errors(schema, document)


@pytest.mark.parametrize(
    ("schema", "document", "fault"),
    [
        (
            {"properties": {"a": {"properties": {"name": {}}}}},
            {"a": {"nam": 1}},
            "$.a.nam: unknown: did you mean 'name'?",
        ),
        (
            {"properties": {"a": {"items": {"properties": {"name": {}}}}}},
            {"a": [{"name": 1}, {"odd one": 1}]},
            "$.a[1]['odd one']: unknown: remove it, or use one of: name",
        ),
        (
            {"allOf": [{"properties": {"a": {"properties": {"b": {}}}}}]},
            {"a": {"c": 1}},
            "$.a.c: unknown: remove it, or use one of: b",
        ),
        (
            {"if": {}, "then": {"properties": {"a": {"properties": {"b": {}}}}}},
            {"a": {"c": 1}},
            "$.a.c: unknown: remove it, or use one of: b",
        ),
        (
            {
                "properties": {"a": {"$ref": "#/$defs/a"}},
                "$defs": {"a": {"properties": {"b": {"properties": {"c": {}}}}}},
            },
            {"a": {"b": {"d": 1}}},
            "$.a.b.d: unknown: remove it, or use one of: c",
        ),
        (
            {
                "properties": {"a": {"$ref": "#/$defs/a"}},
                "$defs": {"a": {"properties": {"b": {}}}},
            },
            {"a": {"d": 1}},
            "$.a.d: unknown: remove it, or use one of: b",
        ),
        (
            {"oneOf": [
                {"properties": {"a": {}}, "required": ["a"], "additionalProperties": False},
                {"properties": {"b": {}}, "required": ["b"]},
            ]},
            {"b": 1, "c": 1},
            "$.c: unknown: remove it, or use one of: a, b",
        ),
        (
            {"properties": {"a": {}}, "additionalProperties": False},
            {"b": 1},
            "$.b: unknown: remove it, or use one of: a",
        ),
        (
            {"properties": {"a": {"enum": ["swift", "local", None]}}},
            {"a": "swft"},
            "$.a: swft: give one of: swift, local, null (did you mean 'swift'?)",
        ),
        ({"properties": {"a": {"type": ["integer", "null"]}}}, {"a": 1.5},
         "$.a: 1.5: give a whole number or null"),
        ({"properties": {"a": {"maxLength": 3}}}, {"a": "long"},
         "$.a: long: give at most 3 characters"),
        ({"properties": {"a": {"minimum": 1}}}, {"a": 0}, "$.a: 0: give at least 1"),
        (
            {"properties": {"a": {"pattern": "^/"}}},
            {"a": ""},
            '$.a: "": give an absolute path, which begins with /',
        ),
        (
            {"properties": {"a": {"pattern": "^v", "description": "The volume's tag."}}},
            {"a": "x"},
            "$.a: x: give what it is for: The volume's tag",
        ),
        ({"properties": {"a": {"pattern": "^v"}}}, {"a": "x"}, "$.a: x: give what matches ^v"),
        ({"properties": {"a": {"const": "x"}}}, {"a": "y" * 99},
         f"$.a: {'y' * 60}...: give x"),
        ({"properties": {"a": False}}, {"a": 1}, "$.a: not allowed here: remove it"),
        ({"dependentRequired": {"a": ["b"]}, "properties": {"a": {}, "b": {}}}, {"a": 1},
         '$: an object: does not fit dependentRequired {"a": ["b"]}'),
        ({"properties": {"a": {"oneOf": [{"type": "string"}, {"maxLength": 3}]}}}, {"a": "ab"},
         "$.a: fits more than one of the forms: keep to one"),
    ],
)  # fmt: skip
def test_error_names_the_remedy(
    schema: dict[str, Any], document: dict[str, Any], fault: str
) -> None:
    assert find_errors(schema, document) == (fault,)


def test_error_of_alternatives_names_what_each_one_lacks() -> None:
    (fault,) = find_errors(STORAGE, {"kind": "s3", "key": "short"})
    assert "($.kind: s3: give local, $.path: missing: give it)" in fault
    assert "($.key: this secret: give at least 8 characters)" in fault


def test_names_of_two_forms_do_not_go_together() -> None:
    (fault,) = find_errors(STORAGE, {"kind": "local", "path": "/x", "key": "of another form"})
    assert fault == "$: key, kind, path do not go together"


STORAGE_VALIDATOR = Validator(allow_secret_references(STORAGE), "options")


@given(st.dictionaries(st.sampled_from(["kind", "key", "path", "kye"]), json_values))
def test_the_value_of_a_secret_is_in_no_fault(document: dict[str, Any]) -> None:
    canary = "canary-of-a-secret"
    for secret in (canary, {"enf": canary}, {"env": [canary]}, [canary], {"a": {"b": canary}}):
        found = STORAGE_VALIDATOR.find_errors({**document, "key": secret})
        assert canary not in " ".join(found)


@pytest.mark.parametrize("reference", [{"env": "KEY"}, {"file": "/etc/key"}])
def test_a_reference_may_stand_for_a_secret(reference: dict[str, str]) -> None:
    assert not find_errors(allow_secret_references(STORAGE), {"kind": "s3", "key": reference})


@pytest.mark.parametrize(
    ("reference", "fault"),
    [
        ({"evn": "KEY"}, "$.key.evn: unknown: did you mean 'env'?"),
        ({"env": ""}, "$.key.env: this secret: give at least 1 characters"),
        ({"env": "A", "file": "B"}, "$.key: an object: give at most 1 properties"),
        ({}, "$.key: an object: give at least 1 properties"),
    ],
)
def test_faulty_reference_is_reported_as_such(reference: dict[str, str], fault: str) -> None:
    (told,) = find_errors(allow_secret_references(STORAGE), {"kind": "s3", "key": reference})
    assert f"({fault})" in told


def test_value_that_is_no_json_is_refused_with_its_place() -> None:
    document = {"backup_name": dt.date(2026, 1, 1), "description": Secret("canary")}
    assert set(find_errors(PROTECT, document)) == {
        "$.backup_name: date is no type of JSON: write it as text",
        "$.description: Secret is no type of JSON: write it as text",
    }


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "objekt"}, r"no JSON Schema: \$.type: 'objekt'"),
        ({"properties": {"a": {"$ref": "https://example.org/schema"}}}, "refers to 'https"),
        ({"properties": {"a": {"$ref": "#/$defs/gone"}}}, "which is not in it"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "write it for https"),
        ({"$schema": 5}, "no JSON Schema"),
        ({"properties": {"a": object()}}, r"no JSON: \$.properties.a: object is no type"),
    ],
)
def test_a_schema_that_is_none_is_the_fault_of_the_backend(
    schema: dict[str, Any], message: str
) -> None:
    with pytest.raises(ContractViolation, match=message):
        Validator(schema, "options").check({"a": 1})


def test_a_reference_is_never_fetched() -> None:
    requests: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_error(404)

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        reference = f"http://127.0.0.1:{server.server_port}/schema"
        with pytest.raises(ContractViolation, match="which is not in it"):
            Validator({"properties": {"a": {"$ref": reference}}}, "options").check({"a": 1})
        server.shutdown()
        thread.join()
    assert not requests


def test_a_validator_is_built_once_by_one_thread_at_a_time() -> None:
    held: list[bool] = []

    class Watched(Validator):
        def _compile(self) -> Any:
            held.append(self._lock.locked())
            return super()._compile()

    validator = Watched(PROTECT, "options")
    assert not held
    assert validator.prepare() is validator.prepare()
    validator.check({"backup_name": "x"})
    assert held == [True]
