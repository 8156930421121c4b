"""``karbor-backup contract``."""

import contextlib
import importlib.util
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from karbor_backup_cli._commands.shared_options import parse_unicode
from karbor_backup_cli._context import CliContext, common_options, pass_cli_context
from karbor_backup_cli._streams import write_error, write_output
from karbor_backup_cli.paths import PathName
from karbor_backup_core import printable

if TYPE_CHECKING:
    from karbor_backup_contract import Report, Rule, RuleResult


@click.command(short_help="Check that a backend conforms to the contract.")
@click.argument("backend", type=parse_unicode)
@click.option(
    "--report",
    "folder",
    type=PathName(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write conformance.json and an HTML page into DIR.",
)
@common_options
@pass_cli_context
def contract(context: CliContext, backend: str, folder: Path | None) -> None:
    """Run every rule of the contract on a configured BACKEND and its service.

    The rules create resources, and remove them afterwards. They change no other resources.
    """
    from karbor_backup_cli._errors import CommandFailed
    from karbor_backup_cli._output import emit_json
    from karbor_backup_contract import live_harness_factory, run_rules

    if folder is not None:
        _check_jinja_is_installed()
    harness = live_harness_factory(backend, *context.backends.class_and_configuration(backend))
    silent = context.as_json
    with _exiting_on_sigterm():
        report = run_rules(
            harness,
            label=backend,
            cleanup=True,
            on_result=_print_nothing if silent else _print_result,
        )
    if silent:
        emit_json(report.document())
    else:
        write_output(f"\n{printable(report.summary())}")
        for line in report.details():
            write_output(f"  {printable(line)}")
    if folder is not None:
        _write_report(report, folder)
    if not report.conformant:
        raise CommandFailed


@contextlib.contextmanager
def _exiting_on_sigterm() -> Iterator[None]:
    """Let a SIGTERM remove what the rules have made, as Ctrl-C does."""

    def end(signum: int, _frame: object) -> NoReturn:
        raise SystemExit(128 + signum)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _print_result(rule: "Rule", verdict: "RuleResult") -> None:
    write_output(printable(f"{verdict.status.value:<8} {rule.id}  {rule.statement}"))
    if verdict.reason:
        write_output(printable(f"{'':<8} {'':<5}  {verdict.reason}"))


def _print_nothing(_rule: "Rule", _verdict: "RuleResult") -> None:
    """Print nothing, since the document has it all."""


def _check_jinja_is_installed() -> None:
    """Find out now: the rules take their time."""
    from karbor_backup_cli._missing_libraries import suggest_installation
    from karbor_backup_core import MissingLibrary

    if importlib.util.find_spec("jinja2") is None:
        raise MissingLibrary(f"--report: Jinja2 is not installed: {suggest_installation('jinja2')}")


def _write_report(report: "Report", folder: Path) -> None:
    from karbor_backup_contract import write_report

    for path in write_report([report], folder):
        write_error(f"written: {printable(str(path))}")
