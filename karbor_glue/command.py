"""``karbor-backup karbor``: what an operator of Karbor needs beside Karbor's own commands."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from karbor_backup_cli.paths import PathName
from karbor_backup_core import (
    BackendUnavailable,
    InvalidInput,
    KarborBackupError,
    describe_end,
    printable,
    suggest_name,
)
from karbor_backup_core.documents import to_document

if TYPE_CHECKING:
    from karbor_glue._recovery import RecoveryResult


@click.group()
def karbor() -> None:
    """Recover operations of ended karbor-protection processes."""


@karbor.command()
@click.argument("provider")
@click.option(
    "--config-file",
    "config_files",
    multiple=True,
    type=PathName(exists=True, dir_okay=False),
    help="Karbor's configuration file  [default: where Karbor looks for it].",
)
@click.pass_context
def recover(ctx: click.Context, provider: str, config_files: Sequence[str]) -> None:
    """Complete the operations of ended karbor-protection processes.

    PROVIDER is the id or the name of one of Karbor's providers. Started operations are continued
    to their end, and the status of their checkpoints is corrected. Checkpoints of a running process
    are not changed. Whether a process on another host runs is known after the duration of one
    lease (60 seconds, or 'lease' in the provider's file): run the command again then.
    """
    found = []
    for each in _run_recovery(_load_provider(provider, config_files)):
        found.append(each)
        if not ctx.obj.as_json:
            _print_result(each)
    if ctx.obj.as_json:
        click.echo(json.dumps({"checkpoints": [_to_document(each) for each in found]}, indent=2))
    elif not found:
        click.echo("nothing to recover")
    unsolved = sum(bool(each.problems) for each in found)
    if unsolved:
        raise KarborBackupError(
            f"not put right: {unsolved} of {len(found)}; the reasons stand above"
        )


def _load_provider(name: str, config_files: Sequence[str]) -> Any:
    try:
        from karbor import exception
        from karbor.common import config  # noqa: F401 - registers where Keystone is
        from karbor.services.protection.provider import ProviderRegistry
        from oslo_config import cfg
    except ImportError as error:
        raise BackendUnavailable(f"Karbor is not installed beside this command: {error}") from error

    files = list(config_files) or None
    try:
        cfg.CONF([], project="karbor", default_config_files=files)
        providers = ProviderRegistry().providers
    except (cfg.Error, exception.KarborException, OSError) as error:
        raise InvalidInput(
            f"Karbor's configuration cannot be used: {error}; name its file with --config-file, "
            "and see to provider_config_dir in it and to the files there"
        ) from error
    for provider in providers.values():
        if name in (provider.id, provider.name):
            return provider
    known = ", ".join(f"{each.id} ({each.name})" for each in providers.values()) or "none"
    names = [name for each in providers.values() for name in (each.id, each.name)]
    raise InvalidInput(
        f"Karbor has no provider {name!r} that could be loaded: {suggest_name(name, names)}"
        f"there are: {known}"
    )


def _run_recovery(provider: Any) -> Any:
    from karbor_glue._recovery import recover as recover_all

    return recover_all(provider)


def _print_result(recovered: "RecoveryResult") -> None:
    what = recovered.record or f"checkpoint {recovered.checkpoint}"
    change = f": {recovered.before} -> {recovered.after}" if recovered.before else ""
    click.echo(printable(f"{what}{change}"))
    for operation in recovered.operations:
        end = describe_end(operation)
        click.echo(printable(f"  {operation.verb} of {operation.resource.id}: {end}"))
    for problem in recovered.problems:
        click.echo(printable(f"  {problem}"), err=True)


def _to_document(recovered: "RecoveryResult") -> dict[str, Any]:
    return {
        "checkpoint": recovered.checkpoint,
        "record": recovered.record,
        "before": recovered.before,
        "after": recovered.after,
        "operations": [to_document(each) for each in recovered.operations],
        "problems": list(recovered.problems),
    }
