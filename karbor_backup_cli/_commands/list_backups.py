"""``karbor-backup list``."""

import click

from karbor_backup_cli._context import CliContext, common_options, pass_cli_context
from karbor_backup_cli._streams import write_output


@click.command("list")
@common_options
@pass_cli_context
def list_backups(context: CliContext) -> None:
    """List the backups, the oldest first.

    If a backup cannot be read, standard error names it, and the exit status is 1.
    """
    from karbor_backup_cli._document_signing import sign_backup
    from karbor_backup_cli._formatting import format_time
    from karbor_backup_cli._output import emit_json, emit_table
    from karbor_backup_cli._unreadable_rows import UnreadableRows

    unreadable = UnreadableRows()
    backups = context.store.backups(on_unreadable=unreadable)
    unreadable.warn()
    if context.as_json:
        documents = [sign_backup(context, backup) for backup in backups]
        emit_json({"backups": documents, "unreadable": unreadable.documents()})
    elif not backups:
        write_output("no backups")
    else:
        copies = any(each.copy_of for each in backups)
        emit_table(
            ("BACKUP", "MADE", "BACKEND", "TYPE", "ID", "NAME", *(["COPY OF"] if copies else [])),
            [
                (
                    each.id,
                    format_time(each.created_at),
                    each.backend,
                    each.resource.type,
                    each.resource.id,
                    each.resource.name or str(each.options.get("backup_name", "")),
                    *([each.copy_of] if copies else []),
                )
                for each in backups
            ],
        )
    unreadable.fail_if_any()
