"""Rows of the store that cannot be read: named on the standard error, and never in the way."""

from typing import TYPE_CHECKING, Any, Final

import attrs

from karbor_backup_cli._errors import PROGRAM, CommandFailed
from karbor_backup_cli._streams import write_error
from karbor_backup_core import printable

if TYPE_CHECKING:
    from karbor_backup_core.stores.sql import UnreadableRow

_MAX_NAMED: Final = 20
"""Rows that are named; the others are counted."""


@attrs.define
class UnreadableRows:
    """Collects the rows that a listing leaves out; calling it adds one."""

    rows: "list[UnreadableRow]" = attrs.field(factory=list)

    def __call__(self, row: "UnreadableRow") -> None:
        """Add a row."""
        self.rows.append(row)

    def documents(self) -> list[dict[str, Any]]:
        """Return the rows as JSON values."""
        return [attrs.asdict(row) for row in self.rows]

    def warn(self) -> None:
        """Name the rows on the standard error."""
        for row in self.rows[:_MAX_NAMED]:
            what = f"{row.kind} {row.id} in the store cannot be read: {row.reason}"
            write_error(f"{PROGRAM}: warning: {printable(what)}")
        if len(self.rows) > _MAX_NAMED:
            more = len(self.rows) - _MAX_NAMED
            write_error(f"{PROGRAM}: warning: and {more} more that cannot be read")

    def fail_if_any(self) -> None:
        """Let pass what could be read as a whole.

        Raises:
            Failed: some of it could not, and was named.
        """
        if self.rows:
            raise CommandFailed
