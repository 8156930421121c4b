"""``karbor-backup restore``."""

import click

from karbor_backup_cli._commands.shared_options import (
    OperationOptions,
    backend_option,
    operation_options,
    parse_unicode,
)
from karbor_backup_cli._context import CliContext, common_options, pass_cli_context
from karbor_backup_core import Backup, Verb


@click.command(
    short_help="Restore a backup.",
    epilog="""\b
    karbor-backup restore 5f1c
    karbor-backup restore --from backup.json -o restore_name=db-restored
    """,
)
@click.argument("backup", type=parse_unicode, required=False)
@click.option(
    "--from",
    "document",
    metavar="FILE",
    help="Restore from a backup's document (see show --document); - reads standard input.",
)
@backend_option
@operation_options
@common_options
@pass_cli_context
def restore(
    context: CliContext,
    backup: str | None,
    document: str | None,
    backend: str | None,
    given: OperationOptions,
) -> None:
    """Restore a BACKUP.

    A unique prefix of its id is enough. BACKUP/MEMBER restores one member, such as a server of a
    project. `karbor-backup options restore TYPE` lists the options. A required name that is not
    given is generated from the resource and the time.
    """
    from karbor_backup_cli._commands.run_operation import run_on_backup

    found = _select_backup(context, backup, document)
    run_on_backup(context, Verb.RESTORE, found, backend, given)


def _select_backup(context: CliContext, text: str | None, document: str | None) -> Backup:
    if (text is None) == (document is None):
        raise click.UsageError("give either a BACKUP or a document with --from")
    if text is not None:
        from karbor_backup_cli._lookup import find_backup

        return find_backup(context.store, text)
    from karbor_backup_cli._document_signing import read_backup_document
    from karbor_backup_cli._options import read_json_object

    return read_backup_document(context, read_json_object(document or "-"))
