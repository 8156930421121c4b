"""``karbor-backup options``."""

import click

from karbor_backup_core.cli.commands.shared import backend_option, unicode_text
from karbor_backup_core.cli.invocation import Invocation, common_options, pass_invocation
from karbor_backup_core.model import Support, Verb


@click.command(
    short_help="Show which options an operation takes.",
    epilog="""\b
    karbor-backup options protect volume
    karbor-backup options restore Freezer::FileSystem::Directory --json
    """,
)
@click.argument(
    "verb", metavar="VERB", type=click.Choice([each.value for each in Verb], case_sensitive=False)
)
@click.argument("resource_type", metavar="TYPE", type=unicode_text)
@backend_option
@common_options
@pass_invocation
def options(invocation: Invocation, verb: str, resource_type: str, backend: str | None) -> None:
    """Show which options a VERB takes for a TYPE of resource, each with what it may be.

    VERB is protect, restore, delete or verify. TYPE is written as for protect. The service is not
    asked.
    """
    from karbor_backup_core.cli.option_table import COLUMNS, read_schema
    from karbor_backup_core.cli.output import emit_json, emit_lines, emit_table
    from karbor_backup_core.cli.resource_types import find_type
    from karbor_backup_core.errors import Unsupported

    chosen = invocation.backends.choose(backend)
    kind = find_type(chosen, resource_type)
    ability = chosen.ability(kind, Verb(verb))
    if ability.support is Support.UNSUPPORTED:
        raise Unsupported(f"backend {chosen.name} cannot {verb} {kind}: {ability.reason}")
    named = read_schema(ability.schema)
    if invocation.as_json:
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
