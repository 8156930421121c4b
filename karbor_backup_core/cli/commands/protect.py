"""``karbor-backup protect``."""

from datetime import timedelta

import click

from karbor_backup_core.cli.commands.shared import backend_option, operation_options, unicode_text
from karbor_backup_core.cli.invocation import Invocation, common_options, pass_invocation
from karbor_backup_core.model import Resource, Verb


@click.command(
    short_help="Make a backup of a resource.",
    epilog="""\b
    karbor-backup protect OS::Cinder::Volume 5aa119a8-d25b-45a7-8d1b-88e127885635 -o backup_name=db
    karbor-backup protect Freezer::FileSystem::Directory /srv/data -o backup_name=data
    """,
)
@click.argument("resource_type", metavar="TYPE", type=unicode_text)
@click.argument("resource_id", metavar="ID", type=unicode_text)
@click.option(
    "--name",
    default="",
    type=unicode_text,
    metavar="NAME",
    help="The resource's name, to be shown.",
)
@backend_option
@operation_options
@common_options
@pass_invocation
def protect(
    invocation: Invocation,
    resource_type: str,
    resource_id: str,
    name: str,
    backend: str | None,
    options_file: str | None,
    assignments: tuple[str, ...],
    deadline: timedelta | None,
) -> None:
    """Make a backup of a resource: TYPE as the ecosystem writes it, ID as its service knows it."""
    from karbor_backup_core.cli.options import read_options
    from karbor_backup_core.cli.reports import report
    from karbor_backup_core.cli.running import perform

    chosen = invocation.backends.choose(backend)
    schema = chosen.ability(resource_type, Verb.PROTECT).schema
    options = read_options(options_file, assignments, schema)
    resource = Resource(resource_type, resource_id, name)
    ended = perform(invocation, chosen, Verb.PROTECT, resource, options, deadline)
    report(ended, as_json=invocation.as_json)
