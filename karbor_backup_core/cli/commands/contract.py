"""``karbor-backup contract``."""

import contextlib
import importlib.util
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from karbor_backup_core.cli.commands.shared import unicode_text
from karbor_backup_core.cli.invocation import Invocation, common_options, pass_invocation
from karbor_backup_core.cli.paths import PathName
from karbor_backup_core.cli.streams import write_error, write_out
from karbor_backup_core.escaping import printable

if TYPE_CHECKING:
    from karbor_backup_core.contract import Report, Rule, Verdict


@click.command(short_help="Prove that a backend keeps the contract.")
@click.argument("backend", type=unicode_text)
@click.option(
    "--report",
    "folder",
    type=PathName(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write conformance.json and a page of the rules into DIR.",
)
@common_options
@pass_invocation
def contract(invocation: Invocation, backend: str, folder: Path | None) -> None:
    """Try every rule of the contract on a configured BACKEND and its service.

    Resources are made for it, and removed afterwards; nobody else's are touched.
    """
    from karbor_backup_core.cli.failures import Failed
    from karbor_backup_core.cli.output import emit_json
    from karbor_backup_core.contract import examine
    from karbor_backup_core.contract.live import live_bench

    if folder is not None:
        _check_that_pages_can_be_written()
    bench = live_bench(backend, *invocation.backends.parts(backend))
    silent = invocation.as_json
    with _unwound_by_sigterm():
        report = examine(bench, label=backend, tidy=True, heard=_ignore if silent else _tell)
    if silent:
        emit_json(report.document())
    else:
        write_out(f"\n{printable(report.summary())}")
        for line in report.against():
            write_out(f"  {printable(line)}")
    if folder is not None:
        _write(report, folder)
    if not report.conformant:
        raise Failed


@contextlib.contextmanager
def _unwound_by_sigterm() -> Iterator[None]:
    """Let a SIGTERM remove what the rules have made, as Ctrl-C does."""

    def end(signum: int, _frame: object) -> NoReturn:
        raise SystemExit(128 + signum)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _tell(rule: "Rule", verdict: "Verdict") -> None:
    write_out(printable(f"{verdict.status.value:<8} {rule.id}  {rule.statement}"))
    if verdict.reason:
        write_out(printable(f"{'':<8} {'':<5}  {verdict.reason}"))


def _ignore(_rule: "Rule", _verdict: "Verdict") -> None:
    """Say nothing: the document says it all."""


def _check_that_pages_can_be_written() -> None:
    """Find out now: the rules take their time."""
    from karbor_backup_core.cli.missing import remedy
    from karbor_backup_core.errors import MissingLibrary

    if importlib.util.find_spec("jinja2") is None:
        raise MissingLibrary(f"--report: Jinja2 is not installed: {remedy('jinja2')}")


def _write(report: "Report", folder: Path) -> None:
    from karbor_backup_core.contract.page import write_report

    for path in write_report([report], folder):
        write_error(f"written: {printable(str(path))}")
