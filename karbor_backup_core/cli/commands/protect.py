"""``karbor-backup protect``."""

from datetime import timedelta

import click

from karbor_backup_core.cli.commands.shared import backend_option, operation_options, unicode_text
from karbor_backup_core.cli.invocation import Invocation, common_options, pass_invocation
from karbor_backup_core.model import Resource, Verb


@click.command(
    short_help="Make a backup of a resource.",
    epilog="""\b
    karbor-backup protect volume 5aa119a8-d25b-45a7-8d1b-88e127885635
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
    """Make a backup of a resource: TYPE, and ID as its service knows it.

    TYPE is written as the ecosystem does, in any case, or by its last word: volume, server.
    `karbor-backup options protect TYPE` says which options there are. A name that is required and
    not given is made of the resource and the time.

    Exit status 3: nothing was stored, since the type is covered by another resource.
    """
    from karbor_backup_core.cli.default_names import with_default_names
    from karbor_backup_core.cli.options import read_options
    from karbor_backup_core.cli.reports import report
    from karbor_backup_core.cli.resource_types import find_type
    from karbor_backup_core.cli.running import perform
    from karbor_backup_core.clock import system_clock

    chosen = invocation.backends.choose(backend)
    resource = Resource(find_type(chosen, resource_type), resource_id, name)
    schema = chosen.ability(resource.type, Verb.PROTECT).schema
    given = read_options(options_file, assignments, schema)
    options = with_default_names(given, schema, resource, Verb.PROTECT, system_clock())
    ended = perform(invocation, chosen, Verb.PROTECT, resource, options, deadline)
    report(ended, as_json=invocation.as_json)
