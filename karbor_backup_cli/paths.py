"""Paths on the command line."""

import os
from typing import Any

import click

from karbor_backup_core.files import find_name_fault


class PathName(click.Path):
    """A path on the command line; one that no file can have is refused like other bad values."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path.

        Raises:
            click.BadParameter: no file can have that name, or it is not what is wanted.
        """
        if (fault := find_name_fault(os.fspath(value))) is not None:
            self.fail(fault, param, ctx)
        return super().convert(value, param, ctx)
