"""``karbor-backup verify``."""

from datetime import timedelta

import click

from karbor_backup_core.cli.commands.shared import backend_option, operation_options, unicode_text
from karbor_backup_core.cli.invocation import Invocation, common_options, pass_invocation
from karbor_backup_core.model import Verb


@click.command(short_help="Check whether a backup can be restored.")
@click.argument("backup", type=unicode_text)
@backend_option
@operation_options
@common_options
@pass_invocation
def verify(
    invocation: Invocation,
    backup: str,
    backend: str | None,
    options_file: str | None,
    assignments: tuple[str, ...],
    deadline: timedelta | None,
) -> None:
    """Check whether a BACKUP can be restored, and say what was checked and what was not."""
    from karbor_backup_core.cli.commands.existing import work_on
    from karbor_backup_core.cli.identify import find_backup

    found = find_backup(invocation.store, backup)
    work_on(invocation, Verb.VERIFY, found, backend, options_file, assignments, deadline)
