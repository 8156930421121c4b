"""The known name that a person probably meant by one that is not known."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Final

from karbor_backup_core._errors import UnknownBackend

_LONGEST: Final = 100
"""Characters of a name that is compared with others: the time grows with its square."""

_SIMILARITY: Final = 0.6
"""``difflib``'s own default: a plural, a word left out or two wrong letters are still similar."""


def closest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that is most similar to one that is not known.

    Case, blanks, dashes, underscores and colons do not count, and a name may be cut short.

    Args:
        name: what was written.
        known: the names that there are.

    Returns:
        None where none is similar, or the name is too long to be any of them.
    """
    if len(name) > _LONGEST:
        return None
    spellings: dict[str, str] = {}
    for each in known:
        spellings.setdefault(_normalize(each), each)
    wanted = _normalize(name)
    if wanted in spellings:
        return spellings[wanted]
    if near := difflib.get_close_matches(wanted, spellings, n=1, cutoff=_SIMILARITY):
        return spellings[near[0]]
    longer = [each for each in spellings if wanted and each.startswith(wanted)]
    return spellings[longer[0]] if len(longer) == 1 else None


def suggest_name(
    name: str, known: Iterable[str], full_names: Mapping[str, str] | None = None
) -> str:
    """Return the question whether the closest known name was meant, for a message.

    Args:
        name: what was written.
        known: the names that there are.
        full_names: what to suggest in place of a known name, such as the type that a short name
            stands for.

    Returns:
        ``did you mean 'volume'? `` with the blank after it; empty where no name is similar, or it
        is known itself.
    """
    names = list(known)
    near = None if name in names else closest_name(name, names)
    return "" if near is None else f"did you mean {(full_names or {}).get(near, near)!r}? "


def suggest_known(name: object, known: Iterable[str]) -> str:
    """Return the closest known name as a question, and all known names, for a message.

    Args:
        name: what was written; anything but text is similar to no name.
        known: the names that there are.

    Returns:
        ``did you mean 'lab'? there are: lab, site``, or ``there are: none``.
    """
    names = list(known)
    guess = suggest_name(name, names) if isinstance(name, str) else ""
    return f"{guess}there are: {', '.join(names) or 'none'}"


def unknown_backend(name: object, known: Iterable[str], what: str = "") -> UnknownBackend:
    """Return the error of a backend that is not configured.

    Args:
        name: what was given as its name.
        known: the names of the configured backends.
        what: begins the message.
    """
    shown = repr(name) if isinstance(name, str) else f"of the type {type(name).__name__}"
    return UnknownBackend(f"{what}backend {shown} is not configured: {suggest_known(name, known)}")


def _normalize(name: str) -> str:
    return name.casefold().translate(_IGNORED)


_IGNORED: Final = str.maketrans("", "", " -_:")
