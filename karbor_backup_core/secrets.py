"""Secrets: kept out of sight, read at the moment of use, taken out of every text."""

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn, final

from karbor_backup_core._errors import InvalidInput

if TYPE_CHECKING:
    from karbor_backup_core.json_schema.subschemas import DocumentPath, Schema

MASK: Final = "***"
"""What stands where a secret was."""

MIN_REDACTED_LENGTH: Final = 4
"""Shorter values are not taken out of texts: they would blacken words that hold no secret."""

LONGEST: Final = 64 * 1024
"""Bytes of the largest file that holds a secret: a device may go on for ever."""


@final
class Secret:
    """A secret, or where it is to be found.

    Nothing shows it but ``reveal``: not ``repr``, ``str`` or a format, not a comparison (each
    equals only itself) or a hash, not a document, a pickle or ``attrs.asdict``, for which it is
    no attrs class.

    Args:
        source: the secret itself, or ``{"env": "NAME"}`` or ``{"file": "PATH"}``.

    Raises:
        InvalidInput: the source is neither.
    """

    __slots__ = ("_encodings", "_lock", "_source")

    def __init__(self, source: str | Mapping[str, str]) -> None:
        self._source: str | tuple[str, str] = (
            source if isinstance(source, str) else _parse_reference(source)
        )
        self._lock = threading.Lock()
        self._encodings: frozenset[str] = frozenset()

    def reveal(self) -> str:
        """Return the secret as it is now; a file's last line end is left out.

        Raises:
            InvalidInput: the variable is not set, or the file cannot be read, or it is empty.
        """
        value = self._source if isinstance(self._source, str) else _resolve_reference(*self._source)
        with self._lock:
            self._encodings |= _encodings(value)
        return value

    def encodings(self) -> frozenset[str]:
        """Return all texts of ``MIN_REDACTED_LENGTH`` or longer that would give the secret away.

        These are the values seen so far (a file may change), each also as JSON, ``repr`` and URLs
        write it. What cannot be looked up has never been seen, and gives nothing.
        """
        if not self._encodings:
            try:
                self.reveal()
            except InvalidInput:
                return frozenset()
        return self._encodings

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, _: object) -> "Secret":
        return self

    def __reduce_ex__(self, _: object) -> NoReturn:
        raise TypeError("a secret is not pickled: send its reference and look it up there")


def redact(text: str, secrets: Iterable[Secret]) -> str:
    """Return the text with every known value of these secrets replaced by ``***``."""
    known = frozenset[str]().union(*(secret.encodings() for secret in secrets))
    longest_first = sorted(known, key=len, reverse=True)
    # Again and again, since a mask and its neighbours may spell another secret. It ends, because
    # each replacement makes the text shorter.
    while found := next((value for value in longest_first if value in text), None):
        text = text.replace(found, MASK)
    return text


def wrap_secrets(schema: "Schema", document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a valid configuration in which each value marked as secret is a ``Secret``.

    Args:
        schema: the configuration's JSON Schema, secrets marked ``"writeOnly": true``.
        document: the configuration; each secret is a string or a reference to one.

    Raises:
        InvalidInput: what is marked as secret is neither.
    """
    import copy

    from karbor_backup_core.json_schema.subschemas import find_secret_paths

    result: dict[str, Any] = copy.deepcopy(dict(document))
    for place in find_secret_paths(schema, document):
        _wrap_secret(result, place)
    return result


def find_secrets(configuration: Any) -> Iterator[Secret]:
    """Return the secrets of a configuration."""
    if isinstance(configuration, Secret):
        yield configuration
    elif isinstance(configuration, Mapping):
        for inner in configuration.values():
            yield from find_secrets(inner)
    elif isinstance(configuration, list | tuple):
        for inner in configuration:
            yield from find_secrets(inner)


def _wrap_secret(document: Any, place: "DocumentPath") -> None:
    *steps, last = place
    for step in steps:
        document = document[step]
    if not isinstance(document[last], Secret) and document[last] is not None:
        document[last] = Secret(document[last])


def _parse_reference(source: Any) -> tuple[str, str]:
    if isinstance(source, Mapping) and len(source) == 1:
        ((kind, name),) = source.items()
        if kind in ("env", "file") and isinstance(name, str) and name:
            return kind, name
    raise InvalidInput('a secret is text, or {"env": "NAME"}, or {"file": "PATH"}')


def _resolve_reference(kind: str, name: str) -> str:
    value = _read_environment(name) if kind == "env" else _read_file(name)
    if not value:
        raise InvalidInput(f"the secret in {kind} {name} is empty: put it there")
    return value


def _read_environment(name: str) -> str:
    try:
        return os.environ[name]
    except (KeyError, ValueError):  # no variable's name can hold a lone surrogate
        raise InvalidInput(
            f"the environment variable {name}, which should hold a secret, is not set: give it one"
        ) from None


def _read_file(name: str) -> str:
    from pathlib import Path

    what = f"the file {name}, which should hold a secret,"
    try:
        with Path(name).expanduser().open("rb") as file:
            content = file.read(LONGEST + 1)
        text = content.decode()
    except (OSError, ValueError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InvalidInput(f"{what} cannot be read: {reason}") from None
    if len(content) > LONGEST:
        raise InvalidInput(f"{what} is larger than {LONGEST} bytes")
    return text.removesuffix("\n").removesuffix("\r")


def _encodings(value: str) -> frozenset[str]:
    import json
    import urllib.parse

    spellings = {
        value,
        repr(value)[1:-1],
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        urllib.parse.quote(value, safe="", errors="replace"),
        urllib.parse.quote(value, errors="replace"),
        urllib.parse.quote_plus(value, errors="replace"),
    }
    return frozenset(each for each in spellings if len(each) >= MIN_REDACTED_LENGTH)
