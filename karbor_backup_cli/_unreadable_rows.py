"""Rows of the store that cannot be read: named on the standard error, and never in the way."""

from typing import TYPE_CHECKING, Any, Final

import attrs

from karbor_backup_cli._errors import PROGRAM, CommandFailed
from karbor_backup_cli._streams import write_error
from karbor_backup_core import printable, truncate_text

if TYPE_CHECKING:
    from karbor_backup_core.stores.sql import UnreadableRow

_MAX_NAMED: Final = 20
"""Rows that are named; the others are counted."""

_LONGEST_ID: Final = 200
_LONGEST_REASON: Final = 2000
"""Characters that are shown of what a damaged store may hold at any length."""


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
            # Cut apart, so that an endless id leaves room for the reason.
            name = truncate_text(printable(row.id), _LONGEST_ID)
            reason = truncate_text(printable(row.reason), _LONGEST_REASON)
            write_error(
                f"{PROGRAM}: warning: {row.kind} {name} in the store cannot be read: {reason}"
            )
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
