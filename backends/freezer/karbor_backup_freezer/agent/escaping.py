"""Which texts reach Freezer's agent unchanged.

The scheduler writes an action into a file with Python's ``configparser`` and the agent reads it
back (freezer 19.0.0, ``scheduler_job.py`` and ``utils/config.py``): a lone percent sign, or a
character that UTF-8 does not have, stops the scheduler's thread for ever; a carriage return begins
another field; blanks at the ends are cut off, and some words become booleans. The agent then puts
other options in the place of ``$name`` (oslo.config), formats backup names as templates, and hands
the path of a restore to a shell, unquoted.
"""

import re
import unicodedata
from typing import Final

from karbor_backup_core import InvalidInput
from karbor_backup_core import check_path as check_absolute_path

_RESERVED: Final = frozenset({"True", "true", "False", "false", "None"})
_FORBIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Unicode's categories of control characters, lone surrogates and ends of lines and paragraphs."""

_OPTION_REFERENCE: Final = re.compile(r"\$[$\w{]|\\\$")
"""What oslo.config takes for the name of an option, or for an escaped dollar sign."""

_SHELL_SAFE: Final = re.compile(r"[\w/.,:@%+=-]+")
_FORBIDDEN_IN_NAME: Final = re.compile(r"[/{}]")
_IDENTIFIER: Final = re.compile(r"[A-Za-z0-9_-]+")
_VERSION: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+!_-]*")
_CLIENT: Final = re.compile(r"[\w-][\w.-]*")
"""What Freezer's API takes for a client id, and more (``client_id_regex`` in its schemas)."""

COLUMN_LIMIT: Final = 255
"""The longest container, path or name in Freezer's tables, in characters; 500 beyond."""

FILE_NAME_LIMIT: Final = 255
"""The longest name of a file, in bytes; the agent makes one of host name and backup name."""


def escape(text: str) -> str:
    """Write a text so that the agent reads it as it is."""
    return text.replace("%", "%%")


def unescape(text: str) -> str:
    """Read a text back out of a job that ``escape`` went into."""
    return text.replace("%%", "%")


def check_text(what: str, text: str) -> str:
    """Return a text that Freezer can carry.

    Raises:
        InvalidInput: it is empty, too long, or would arrive changed.
    """
    if not text or text != text.strip():
        raise InvalidInput(f"{what} {text!r}: give a text without blanks at its ends")
    if problem := _find_problem(text):
        raise InvalidInput(f"{what} {text!r}: {problem}")
    if len(escape(text)) > COLUMN_LIMIT:
        raise InvalidInput(f"{what} {text!r}: Freezer keeps at most {COLUMN_LIMIT} characters")
    return text


def check_secret(what: str, text: str) -> str:
    """Return a secret that Freezer can carry.

    Raises:
        InvalidInput: it would arrive changed; the message does not quote it.
    """
    if text != text.strip() or (problem := _find_problem(text)):
        problem = "blanks at its ends are cut off" if text != text.strip() else problem
        raise InvalidInput(
            f"{what}: Freezer cannot carry this secret: {problem}; choose another one"
        )
    return text


def _find_problem(text: str) -> str:
    """Return why a text would not arrive as it is, empty if it does."""
    if any(unicodedata.category(each) in _FORBIDDEN_CATEGORIES for each in text):
        return "leave out line breaks, control characters and what UTF-8 does not have"
    if text in _RESERVED:
        return "Freezer's agent takes this word for no text"
    if _OPTION_REFERENCE.search(text):
        return "leave out '$' before a letter, a digit, '_', '{' or '$', and after a backslash"
    return ""


def check_backup_name(name: str) -> str:
    """Return a backup name that becomes the name of a folder, unchanged.

    Raises:
        InvalidInput: it holds a slash or a brace, or ``check_text`` refuses it.
    """
    check_text("backup_name", name)
    if _FORBIDDEN_IN_NAME.search(name):
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
    """Return an absolute, normalised path that Freezer can carry.

    Raises:
        InvalidInput: it is relative, or not normalised, or ``check_text`` refuses it.
    """
    check_text(what, path)
    return check_absolute_path(what, path)


def check_container(what: str, container: str) -> str:
    """Return a container: names of folders with slashes between them, or a path.

    Raises:
        InvalidInput: it leads elsewhere than its names say, or ``check_text`` refuses it.
    """
    check_text(what, container)
    names = container.removeprefix("/").split("/")
    if not all(name.strip(".") or len(name) > len("..") for name in names):
        raise InvalidInput(f"{what} {container!r}: leave out '.', '..' and empty names of folders")
    return container


def check_hostname(what: str, hostname: str) -> str:
    """Return the name of a host, which becomes a part of the name of a folder.

    Raises:
        InvalidInput: it holds a slash, or ``check_text`` refuses it.
    """
    if "/" in check_text(what, hostname):
        raise InvalidInput(f"{what} {hostname!r}: leave out '/'; a folder is named after it")
    return hostname


def check_client(what: str, client: str) -> str:
    """Return the client id of a scheduler.

    Raises:
        InvalidInput: no scheduler can have registered with it, or ``check_text`` refuses it.
    """
    if not _CLIENT.fullmatch(check_text(what, client)):
        raise InvalidInput(f"{what} {client!r}: no scheduler of Freezer can have this client id")
    return client


def check_version(what: str, version: str) -> str:
    """Return the version of a freezer-agent.

    Raises:
        InvalidInput: no release of Python's packages is called so, or ``check_text`` refuses it.
    """
    if not _VERSION.fullmatch(check_text(what, version)):
        raise InvalidInput(f"{what} {version!r}: no freezer-agent can have this version")
    return version


def check_restore_path(path: str) -> str:
    """Return a path that the agent may give to its shell.

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
    """Return the id of an OpenStack resource.

    Raises:
        InvalidInput: it is empty or holds other characters than letters, digits, '-' and '_'.
    """
    if not _IDENTIFIER.fullmatch(identifier):
        raise InvalidInput(f"{what} {identifier!r}: give the id, of letters, digits and dashes")
    return check_text(what, identifier)
