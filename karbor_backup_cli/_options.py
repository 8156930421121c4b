"""Options of an operation as they come from the command line: files and KEY=VALUE."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from karbor_backup_core import InvalidInput, Json
from karbor_backup_core.files import expand_user_path, read_bytes, read_limited
from karbor_backup_core.json_schema.subschemas import child_schemas, inplace_subschemas
from karbor_backup_core.json_schema.value_checks import find_unusable_value


def read_options(file: str | None, assignments: Sequence[str], schema: Json) -> dict[str, Any]:
    """Return the options: those of the file, with the assignments over them.

    Args:
        file: a file with a JSON object, ``-`` for the standard input, None for none.
        assignments: each ``KEY=VALUE``.
        schema: the options' schema. A value is text where the schema wants text; anywhere else
            it is read as JSON, and is text if it is none.

    Raises:
        InvalidInput: the file or an assignment cannot be read.
    """
    options = {} if file is None else read_json_object(file)
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not key or not equals:
            raise InvalidInput(f"option {assignment!r}: write it as KEY=VALUE")
        options[key] = text if _is_text_option(schema, key) else _parse_value(text)
        if fault := find_unusable_value(options[key]):
            raise InvalidInput(f"option {key}: {fault}")
    return options


def read_json_object(file: str) -> dict[str, Any]:
    """Read a JSON object from a file, or from the standard input for ``-``.

    Raises:
        InvalidInput: it cannot be read, or holds anything else.
    """
    name = "standard input" if file == "-" else file
    try:
        document = json.loads(_read_content(file))
    except OSError as error:
        raise InvalidInput(f"{name}: it cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{name}: it is not UTF-8 text") from None
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{name}: it is not JSON: {error}") from None
    if fault := find_unusable_value(document):
        raise InvalidInput(f"{name}: {fault}")
    if not isinstance(document, Mapping):
        raise InvalidInput(f"{name}: it is not a JSON object")
    return dict(document)


def _read_content(file: str) -> str:
    if file != "-":
        return read_bytes(expand_user_path(file)).decode()
    stdin: TextIO | None = getattr(sys, "stdin", None)
    if stdin is None or stdin.closed:
        raise OSError("it is closed")
    content = read_limited(stdin.buffer, "standard input")
    return content.decode()  # JSON is UTF-8, whatever the terminal speaks


def _is_text_option(schema: Json, key: str) -> bool:
    """Whether anything that the schema says of an option makes it text."""
    spoken = [
        facet
        for inner in child_schemas(inplace_subschemas(schema, schema), key)
        for facet in inplace_subschemas(inner, schema)
    ]
    kinds = [kind for facet in spoken if (kind := facet.get("type")) is not None]
    return any("string" in kind for kind in kinds)


def _parse_value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
