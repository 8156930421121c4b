"""``karbor-backup protect``."""

import click

from karbor_backup_cli._commands.shared_options import (
    OperationOptions,
    backend_option,
    operation_options,
    parse_unicode,
)
from karbor_backup_cli._context import CliContext, common_options, pass_cli_context
from karbor_backup_core import Resource, Verb


@click.command(
    short_help="Create a backup of a resource.",
    epilog="""\b
    karbor-backup protect volume 5aa119a8-d25b-45a7-8d1b-88e127885635
    karbor-backup protect Freezer::FileSystem::Directory /srv/data -o backup_name=data
    """,
)
@click.argument("resource_type", metavar="TYPE", type=parse_unicode)
@click.argument("resource_id", metavar="ID", type=parse_unicode)
@click.option(
    "--name",
    default="",
    type=parse_unicode,
    metavar="NAME",
    help="The resource's display name.",
)
@backend_option
@operation_options
@common_options
@pass_cli_context
def protect(
    context: CliContext,
    resource_type: str,
    resource_id: str,
    name: str,
    backend: str | None,
    given: OperationOptions,
) -> None:
    """Create a backup of the resource with this TYPE and ID.

    TYPE is a resource type in upper or lower case, such as OS::Cinder::Volume, or its last word:
    volume, server. `karbor-backup options protect TYPE` lists the options. A required name that is
    not given is generated from the resource and the time.

    Exit status 3: nothing was stored, because the type is covered by another resource.
    """
    from karbor_backup_cli._commands.run_operation import run_operation
    from karbor_backup_cli._resource_types import resolve_type

    chosen = context.backends.select(backend)
    resource = Resource(resolve_type(chosen, resource_type), resource_id, name)
    run_operation(context, chosen, Verb.PROTECT, resource, given)
