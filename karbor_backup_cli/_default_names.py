"""Names that a person need not think of: those that a schema requires and that are plain text."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from karbor_backup_cli._resource_types import short_type_name
from karbor_backup_core import Json, Resource, Verb

_SUFFIX: Final = "_name"
_CONSTRAINING_KEYWORDS: Final = ("enum", "const", "pattern", "format")
_MAX_LENGTH: Final = 40
"""Characters of a resource's own name or id; services allow 255 in all, some fewer."""


def add_default_names(
    options: Mapping[str, Any], schema: Json, resource: Resource, verb: Verb, now: datetime
) -> dict[str, Any]:
    """Return the options, with a name made up for each required name that is missing.

    Args:
        options: what the person has given.
        schema: the schema of the options.
        resource: what is protected, or what a backup was made of.
        verb: what is done with it.
        now: the present instant, which is part of the name.
    """
    generated = {name: _generate_name(resource, verb, now) for name in generated_options(schema)}
    return {**generated, **options}


def generated_options(schema: Json) -> Iterator[str]:
    """Return the options that are made where the person gives none."""
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        said = properties.get(name, {})
        plain = said.get("type") == "string" and not any(
            each in said for each in _CONSTRAINING_KEYWORDS
        )
        if name.endswith(_SUFFIX) and plain:
            yield name


def _generate_name(resource: Resource, verb: Verb, now: datetime) -> str:
    """Return such as ``volume-db-20261127-011500``: letters, digits, ``.``, ``_``, ``-`` only."""
    own = resource.name or resource.id.rstrip("/").rpartition("/")[2]
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", own)[:_MAX_LENGTH].strip("-.")
    words = [short_type_name(resource.type), plain]
    if verb is Verb.RESTORE:
        words.append("restored")
    return "-".join([*filter(None, words), f"{now:%Y%m%d-%H%M%S}"])
