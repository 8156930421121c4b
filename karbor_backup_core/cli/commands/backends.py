"""``karbor-backup backends``."""

from typing import TYPE_CHECKING, Any

import click

from karbor_backup_core.cli.invocation import Invocation, common_options, pass_invocation

if TYPE_CHECKING:
    from karbor_backup_core.cli.surveys import Survey


@click.command(short_help="Show which backends there are, and what they can do.")
@click.option("--check", is_flag=True, help="Ask each configured backend's service how it is.")
@common_options
@pass_invocation
def backends(invocation: Invocation, *, check: bool) -> None:
    """Show which backends are installed and configured, and what each of them can do."""
    from karbor_backup_core.cli.failures import Failed
    from karbor_backup_core.cli.output import emit_json
    from karbor_backup_core.cli.surveys import survey
    from karbor_backup_core.discovery import installed_backends

    installed = installed_backends()
    surveys = [
        survey(invocation.backends, name, check=check) for name in invocation.backends.sections
    ]
    if invocation.as_json:
        emit_json(
            {
                "installed": [_installed_document(each) for each in installed],
                "configured": [each.document() for each in surveys],
            }
        )
    else:
        _tell(installed, surveys)
    if check and not all(each.fit for each in surveys):
        raise Failed


def _installed_document(backend: Any) -> dict[str, Any]:
    return {
        "name": backend.name,
        "distribution": backend.distribution,
        "version": backend.version,
        "unavailable": backend.unavailable or None,
    }


def _tell(installed: Any, surveys: "list[Survey]") -> None:
    from karbor_backup_core.cli.output import emit_lines, emit_table

    emit_table(
        ("INSTALLED", "FROM", "STATUS"),
        [
            (
                each.name,
                f"{each.distribution} {each.version}",
                f"cannot be loaded: {each.unavailable}" if each.unavailable else "ready",
            )
            for each in installed
        ],
    )
    for each in surveys:
        click.echo()
        emit_lines(each.head())
        if each.rows():
            emit_table(("", *each.verbs()), each.rows())
        emit_lines(each.covered_lines())
        emit_lines(each.option_lines())
