"""What a user of Karbor can do where a backend's message recommends an option.

A backend writes its messages for whoever may give every option. Karbor 1.6.0 takes parameters of a
protect and a restore only, and only for the types of its own: a delete has none, and a plan with
parameters for ``Freezer::FileSystem::Directory`` is answered with status 400.
"""

import re
from collections.abc import Mapping
from typing import Final

from karbor.common import constants

from karbor_backup_core import Verb
from karbor_glue import _schemas

_OPTION_PATTERN: Final = re.compile(r"option '(\w+)'(?! in the provider's file)")

_HINTS: Final[Mapping[str, str]] = {
    "scheduler": "its operator can set scheduler_client_id in the provider's file",
    "allow_unrestorable": "its operator can choose another storage in the provider's file",
    "overwrite": "move what is in the directory away, and restore again",
    "overwrite_unseen": "move what is in the directory away, and restore again",
}


def add_option_hints(verb: Verb, resource_type: str, reason: str) -> str:
    """Return a reason with what to do instead of giving options that Karbor does not take.

    Args:
        verb: what was being done.
        resource_type: the type of the resource that it was done to.
        reason: the backend's words.
    """
    recommended = dict.fromkeys(_OPTION_PATTERN.findall(reason))
    missing = [name for name in recommended if not _is_accepted(verb, resource_type, name)]
    if not missing:
        return reason
    names = ", ".join(repr(name) for name in missing)
    instead = dict.fromkeys(_HINTS[name] for name in missing if name in _HINTS)
    remedy = f": {'; '.join(instead)}" if instead else ""
    return f"{reason} (Karbor takes no {names} for a {verb} of {resource_type}{remedy})"


def _is_accepted(verb: Verb, resource_type: str, option: str) -> bool:
    if verb not in (Verb.PROTECT, Verb.RESTORE) or resource_type not in constants.RESOURCE_TYPES:
        return False
    return option in _schemas.options_schema(None, verb, resource_type)["properties"]
