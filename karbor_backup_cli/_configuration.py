"""Where the command looks for its configuration file, and where its store is by default."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from karbor_backup_core import InvalidInput
from karbor_backup_core.configuration import CONFIGURATION_VARIABLE
from karbor_backup_core.files import expand_user_path

if TYPE_CHECKING:
    import sqlalchemy

APPLICATION: Final = "karbor-backup"
FILE_NAME: Final = "config.toml"


def find_configuration_file(asked: Path | None) -> Path | None:
    """Return the configuration file: the one asked for, the person's own, or the machine's.

    Args:
        asked: the file that the command line names; without it ``$KARBOR_BACKUP_CONFIG`` may.

    Raises:
        InvalidInput: the file that was asked for is not there.
    """
    named = asked or os.environ.get(CONFIGURATION_VARIABLE)
    if named:
        path = expand_user_path(str(named))
        try:
            path.stat()
        except FileNotFoundError:
            raise InvalidInput(f"configuration {named}: there is no such file") from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InvalidInput(f"configuration {named}: it cannot be read: {reason}") from None
        return path
    return next((path for path in default_paths() if path.is_file()), None)


def default_paths() -> list[Path]:
    """Return the platform's usual places for the file, the person's own first."""
    import platformdirs

    dirs = platformdirs.PlatformDirs(APPLICATION, appauthor=False, multipath=True)
    return [folder / FILE_NAME for folder in dirs.iter_config_paths()]


def default_store_url() -> "sqlalchemy.URL":
    """Return the URL of the SQLite file at the platform's usual place for state."""
    import platformdirs
    import sqlalchemy

    folder = platformdirs.user_state_path(APPLICATION, appauthor=False)
    return sqlalchemy.URL.create("sqlite", database=str(folder / "operations.sqlite"))
