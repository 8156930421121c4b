"""Resource types as users write them: in full, in another case, or by the last word."""

from collections.abc import Mapping
from typing import Any

from karbor_backup_core import Backend, Unsupported, suggest_name


def short_type_name(resource_type: str) -> str:
    """Return the last word of a type in small letters: ``volume`` for ``OS::Cinder::Volume``."""
    return resource_type.rpartition("::")[2].lower()


def resolve_type(backend: Backend, text: str) -> str:
    """Return the backend's type that a text means, whatever its case; a short word is enough.

    Raises:
        Unsupported: the backend has no such type, or several that the short word may mean.
    """
    types = backend.info.abilities
    if text in types:
        return text
    wanted = text.lower()
    found = [each for each in types if wanted in (each.lower(), short_type_name(each))]
    if len(found) == 1:
        return found[0]
    if found:
        raise Unsupported(f"type {text!r} may mean {' or '.join(sorted(found))}: write it in full")
    raise Unsupported(_unknown_type_message(backend.name, wanted, text, types))


def _unknown_type_message(backend: str, wanted: str, text: str, types: Mapping[str, Any]) -> str:
    spellings = {each.lower(): each for each in types}
    spellings |= {short_type_name(each): each for each in types}
    guess = suggest_name(wanted, spellings, spellings)
    known = ", ".join(f"{each} ({short_type_name(each)})" for each in sorted(types)) or "none"
    return f"backend {backend} has no type {text!r}: {guess}its types are: {known}"
