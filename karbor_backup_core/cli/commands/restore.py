"""``karbor-backup restore``."""

from datetime import timedelta

import click

from karbor_backup_core.cli.commands.shared import backend_option, operation_options, unicode_text
from karbor_backup_core.cli.invocation import Invocation, common_options, pass_invocation
from karbor_backup_core.model import Backup, Verb


@click.command(
    short_help="Bring back what is in a backup.",
    epilog="""\b
    karbor-backup restore 5f1c
    karbor-backup restore --from backup.json -o restore_name=db-restored
    """,
)
@click.argument("backup", type=unicode_text, required=False)
@click.option(
    "--from",
    "document",
    metavar="FILE",
    help="Restore from a backup's own document (see show --document); - reads standard input.",
)
@backend_option
@operation_options
@common_options
@pass_invocation
def restore(
    invocation: Invocation,
    backup: str | None,
    document: str | None,
    backend: str | None,
    options_file: str | None,
    assignments: tuple[str, ...],
    deadline: timedelta | None,
) -> None:
    """Bring back what is in a BACKUP.

    The beginning of its id is enough. BACKUP/MEMBER brings back one member, such as a server of a
    project. `karbor-backup options restore TYPE` says which options there are; a name that is
    required and not given is made of the resource and the time.
    """
    from karbor_backup_core.cli.commands.existing import work_on

    found = _backup(invocation, backup, document)
    work_on(invocation, Verb.RESTORE, found, backend, options_file, assignments, deadline)


def _backup(invocation: Invocation, text: str | None, document: str | None) -> Backup:
    if (text is None) == (document is None):
        raise click.UsageError("name either a BACKUP or a document with --from")
    if text is not None:
        from karbor_backup_core.cli.identify import find_backup

        return find_backup(invocation.store, text)
    from karbor_backup_core.cli.options import read_json
    from karbor_backup_core.cli.signing import backup_from_outside

    return backup_from_outside(invocation, read_json(document or "-"))
