"""How this distribution and its extras are installed: what messages say, in one place."""

from typing import Final

DISTRIBUTION: Final = "karbor-backup"
"""The name of this distribution."""

_COMMAND: Final = "pip install '.[{extras}]' in a checkout of karbor-backup"
"""A release on a package index changes this line, and the paragraph of README.md "Install it"."""


def install_hint(*extras: str) -> str:
    """Return the command that installs extras of this distribution, as a part of a message."""
    return _COMMAND.format(extras=",".join(extras))
