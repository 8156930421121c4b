"""Which texts reach Freezer's agent unchanged.

The scheduler writes an action into a file with Python's ``configparser`` and the agent reads it
back (freezer 19.0.0, ``scheduler_job.py`` and ``utils/config.py``): a lone percent sign stops the
scheduler's thread for ever, blanks at the ends are cut off, and some words become booleans. The
agent formats backup names as templates and hands the path of a restore to a shell, unquoted.
"""

import re
from typing import Final

from karbor_backup_core import InvalidInput

_RESERVED: Final = frozenset({"True", "true", "False", "false", "None"})
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_SHELL_SAFE: Final = re.compile(r"[\w/.,:@%+=-]+")
_NAME_REFUSED: Final = re.compile(r"[/{}]")
_IDENTIFIER: Final = re.compile(r"[\w-]+")

COLUMN_LIMIT: Final = 255
"""The longest container, path or name in Freezer's tables, in characters; 500 beyond."""

FILE_NAME_LIMIT: Final = 255
"""The longest name of a file, in bytes; the agent makes one of host name and backup name."""


def escaped(text: str) -> str:
    """Write a text so that the agent reads it as it is."""
    return text.replace("%", "%%")


def unescaped(text: str) -> str:
    """Read a text back out of a job that ``escaped`` went into."""
    return text.replace("%%", "%")


def check_text(what: str, text: str) -> str:
    """Answer a text that Freezer can carry.

    Raises:
        InvalidInput: it is empty, too long, or would arrive changed.
    """
    if not text or text != text.strip():
        raise InvalidInput(f"{what} {text!r}: give a text without blanks at its ends")
    if _CONTROL.search(text):
        raise InvalidInput(f"{what} {text!r}: leave out line breaks and control characters")
    if text in _RESERVED:
        raise InvalidInput(f"{what} {text!r}: Freezer's agent takes this word for no text")
    if len(escaped(text)) > COLUMN_LIMIT:
        raise InvalidInput(f"{what} {text!r}: Freezer keeps at most {COLUMN_LIMIT} characters")
    return text


def check_backup_name(name: str) -> str:
    """Answer a backup name that becomes the name of a folder, unchanged.

    Raises:
        InvalidInput: it holds a slash or a brace, or ``check_text`` refuses it.
    """
    check_text("backup_name", name)
    if _NAME_REFUSED.search(name):
        raise InvalidInput(
            f"backup_name {name!r}: leave out '/', '{{' and '}}'; a folder is named after it"
        )
    return name


def check_folder_name(hostname: str, name: str) -> None:
    """Check that the folder that the agent names after host and backup can exist.

    Raises:
        InvalidInput: its name is too long for a file system.
    """
    folder = f"{hostname}_{name}"
    if len(folder.encode()) > FILE_NAME_LIMIT:
        raise InvalidInput(
            f"backup_name {name!r}: with the host's name it makes the folder {folder!r}, "
            f"longer than {FILE_NAME_LIMIT} bytes"
        )


def check_path(what: str, path: str) -> str:
    """Answer an absolute path that Freezer can carry.

    Raises:
        InvalidInput: it is relative, or ``check_text`` refuses it.
    """
    if not path.startswith("/"):
        raise InvalidInput(f"{what} {path!r}: give an absolute path")
    return check_text(what, path)


def check_restore_path(path: str) -> str:
    """Answer a path that the agent may give to its shell.

    Raises:
        InvalidInput: a shell could take a character of it for something else.
    """
    check_path("restore_path", path)
    if not _SHELL_SAFE.fullmatch(path):
        raise InvalidInput(
            f"restore_path {path!r}: Freezer's agent gives this path to a shell unquoted, so only "
            "letters, digits and /.,:@%+=-_ are allowed; restore to another path"
        )
    return path


def check_identifier(what: str, identifier: str) -> str:
    """Answer the id of an OpenStack resource.

    Raises:
        InvalidInput: it is empty or holds other characters than letters, digits, '-' and '_'.
    """
    if not _IDENTIFIER.fullmatch(identifier):
        raise InvalidInput(f"{what} {identifier!r}: give the id, of letters, digits and dashes")
    return check_text(what, identifier)
