"""Verbs as programs write them."""

from karbor_backup_core._errors import InvalidInput
from karbor_backup_core._model import Verb
from karbor_backup_core._suggestions import suggest_known


def to_verb(verb: Verb | str) -> Verb:
    """Return the verb that is meant; its value as text is taken, too.

    Raises:
        InvalidInput: there is no such verb.
    """
    try:
        return Verb(verb)
    except ValueError:
        known = suggest_known(verb, [each.value for each in Verb])
        raise InvalidInput(f"verb {verb!r}: {known}") from None
