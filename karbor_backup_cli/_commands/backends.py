"""``karbor-backup backends``."""

from typing import TYPE_CHECKING, Any

import click

from karbor_backup_cli._context import CliContext, common_options, pass_cli_context
from karbor_backup_cli._streams import write_output

if TYPE_CHECKING:
    from collections.abc import Sequence

    from karbor_backup_cli._backend_status import BackendStatus
    from karbor_backup_core.discovery import InstalledBackend


@click.command(short_help="List the backends and what they support.")
@click.option("--check", is_flag=True, help="Check the health of each configured service.")
@common_options
@pass_cli_context
def backends(context: CliContext, *, check: bool) -> None:
    """List the installed and the configured backends, and what each of them supports.

    `karbor-backup options VERB TYPE` describes the options of an operation. Exit status 1: a
    configured backend cannot be used.
    """
    from karbor_backup_cli._backend_status import query_backend_status
    from karbor_backup_cli._errors import CommandFailed
    from karbor_backup_cli._output import emit_json
    from karbor_backup_core.discovery import installed_backends

    installed = installed_backends()
    statuses = [
        query_backend_status(context.backends, each, check=check)
        for each in context.backends.sections.values()
    ]
    if context.as_json:
        emit_json(
            {
                "installed": [_installed_document(each) for each in installed],
                "configured": [each.document() for each in statuses],
            }
        )
    else:
        _print_backends(installed, statuses)
    context.backends.check_default()
    asked_for = check or context.configuration.backends is not None
    if asked_for and not all(each.usable for each in statuses):
        raise CommandFailed


def _installed_document(backend: "InstalledBackend") -> dict[str, Any]:
    return {
        "name": backend.name,
        "distribution": backend.distribution,
        "version": backend.version,
        "unavailable": backend.unavailable or None,
        "needs_section": backend.needs_section,
    }


def _print_backends(
    installed: "Sequence[InstalledBackend]", statuses: "list[BackendStatus]"
) -> None:
    from karbor_backup_cli._output import emit_lines, emit_table

    owners = {each.name: f"{each.distribution} {each.version}" for each in installed}
    used = {each.use for each in statuses}
    rows = [
        (each.name, each.use, owners.get(each.use, "-"), each.status_line()) for each in statuses
    ]
    rows += [
        ("-", each.name, owners[each.name], _unused_reason(each))
        for each in installed
        if each.name not in used
    ]
    emit_table(("BACKEND", "USES", "FROM", "STATUS"), rows)
    for backend_status in statuses:
        if backend_status.backend is None:
            continue
        write_output()
        emit_lines(backend_status.header_lines())
        if backend_status.ability_rows():
            emit_table(("", *backend_status.column_names()), backend_status.ability_rows())
        emit_lines(backend_status.covered_lines())
        emit_lines(backend_status.option_lines())
        emit_lines(backend_status.maintenance_lines())
        emit_lines(backend_status.limit_lines())


def _unused_reason(backend: "InstalledBackend") -> str:
    """Describe why nothing uses an installed backend without a section."""
    if backend.unavailable:
        return f"cannot be loaded: {backend.unavailable}"
    return f"not configured: it needs a section [backends.{backend.name}]"
