"""``karbor-backup options``."""

import click

from karbor_backup_cli._commands.shared_options import NameChoice, backend_option, parse_unicode
from karbor_backup_cli._context import CliContext, common_options, pass_cli_context
from karbor_backup_core import Support, Verb


@click.command(
    short_help="List the options of an operation.",
    epilog="""\b
    karbor-backup options protect volume
    karbor-backup options restore Freezer::FileSystem::Directory --json
    """,
)
@click.argument("verb", metavar="VERB", type=NameChoice([each.value for each in Verb]))
@click.argument("resource_type", metavar="TYPE", type=parse_unicode)
@backend_option
@common_options
@pass_cli_context
def options(context: CliContext, verb: str, resource_type: str, backend: str | None) -> None:
    """List the options of a VERB for a TYPE of resource, with their types and values.

    VERB is protect, restore, delete, verify or copy, and TYPE is written as for protect. Of
    maintain the TYPE is the action. The command makes no request to the service.
    """
    from karbor_backup_cli._option_table import COLUMNS, options_from_schema
    from karbor_backup_cli._output import emit_json, emit_lines, emit_table
    from karbor_backup_cli._resource_types import resolve_type
    from karbor_backup_core import Unsupported

    chosen = context.backends.select(backend)
    maintains = Verb(verb) is Verb.MAINTAIN
    kind = resource_type if maintains else resolve_type(chosen, resource_type)
    ability = chosen.ability(kind, Verb(verb))
    if ability.support is Support.UNSUPPORTED:
        raise Unsupported(f"backend {chosen.name} cannot {verb} {kind}: {ability.reason}")
    named = options_from_schema(ability.schema)
    if context.as_json:
        emit_json(
            {
                "backend": chosen.name,
                "verb": verb,
                "type": kind,
                "covered_by": ability.covered_by or None,
                "options": [each.document() for each in named],
            }
        )
    elif ability.support is Support.COVERED:
        emit_lines([f"{kind} is covered by {ability.covered_by}: {verb} that instead"])
    elif named:
        emit_table(COLUMNS, [each.row() for each in named])
    else:
        emit_lines([f"{verb} of {kind} takes no options"])
