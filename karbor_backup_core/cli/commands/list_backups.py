"""``karbor-backup list``."""

import click

from karbor_backup_core.cli.invocation import Invocation, common_options, pass_invocation
from karbor_backup_core.cli.streams import write_out


@click.command("list")
@common_options
@pass_invocation
def list_backups(invocation: Invocation) -> None:
    """List the backups, the oldest first.

    One that cannot be read is named on the standard error, and the exit status is 1.
    """
    from karbor_backup_core.cli.output import emit_json, emit_table
    from karbor_backup_core.cli.signing import signed_document
    from karbor_backup_core.cli.text import moment
    from karbor_backup_core.cli.unreadable import UnreadableRows

    unreadable = UnreadableRows()
    backups = invocation.store.backups(on_unreadable=unreadable)
    unreadable.warn()
    if invocation.as_json:
        documents = [signed_document(invocation, backup) for backup in backups]
        emit_json({"backups": documents, "unreadable": unreadable.documents()})
    elif not backups:
        write_out("no backups")
    else:
        emit_table(
            ("BACKUP", "MADE", "BACKEND", "TYPE", "ID", "NAME"),
            [
                (
                    each.id,
                    moment(each.created_at),
                    each.backend,
                    each.resource.type,
                    each.resource.id,
                    each.resource.name or str(each.options.get("backup_name", "")),
                )
                for each in backups
            ],
        )
    unreadable.fail_if_any()
