"""Verbs as programs write them."""

from karbor_backup_core._errors import InvalidInput
from karbor_backup_core._model import Verb
from karbor_backup_core._suggestions import suggest_name


def to_verb(verb: Verb | str) -> Verb:
    """Return the verb that is meant; its value as text is taken, too.

    Raises:
        InvalidInput: there is no such verb.
    """
    try:
        return Verb(verb)
    except ValueError:
        known = [each.value for each in Verb]
        guess = suggest_name(verb, known) if isinstance(verb, str) else ""
        raise InvalidInput(f"verb {verb!r}: {guess}there are: {', '.join(known)}") from None
