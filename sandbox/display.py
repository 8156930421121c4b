"""What the command says to people."""

import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from sandbox.cloud import Sandbox
from sandbox.configuration import VARIABLE
from sandbox.layout import Layout
from sandbox.ports import HOST
from sandbox.services import StartedServer

PROGRAM = "karbor-backup"

_console = Console(highlight=False, soft_wrap=True)


def print_progress(line: str) -> None:
    """Print what is being done."""
    _console.print(line, style="dim", markup=False)


def show_up(sandbox: Sandbox) -> None:
    """Print what runs where, and how to use it."""
    name = sandbox.instance.layout.name
    state = "is up" if sandbox.is_new else "was up already; what runs was left as it is"
    _console.print(f"The sandbox [bold]{name}[/] {state}.\n")
    show_status(sandbox)
    _console.print(f"\n[bold]clouds.yaml[/], in {sandbox.clouds_yaml}:\n")
    _console.print(Syntax(sandbox.clouds_yaml.read_text(), "yaml", background_color="default"))
    _console.print(f"[bold]config.toml[/], in {sandbox.config_toml}:\n")
    text = sandbox.config_toml.read_text(encoding="utf-8")
    _console.print(Syntax(text, "toml", background_color="default"))
    _console.print("To use it from this shell:\n")
    for line in _export_lines(sandbox):
        _console.print(f"  {line}", markup=False)
    _console.print("  karbor-backup backends --check")
    option = "" if name == "default" else f" --instance {name}"
    _console.print(f"\nTo take it down: python -m sandbox down{option}")


def _export_lines(sandbox: Sandbox) -> Iterator[str]:
    """Yield the lines after which the OpenStack tools and `karbor-backup` use the sandbox."""
    for variable, value in {**sandbox.environ, VARIABLE: str(sandbox.config_toml)}.items():
        yield f"export {variable}={shlex.quote(value)}"
    folder = Path(sys.executable).parent
    if shutil.which(PROGRAM) is None and (folder / PROGRAM).exists():
        yield f"export PATH={shlex.quote(str(folder))}:$PATH"


def show_status(sandbox: Sandbox) -> None:
    """Print what runs where."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("server", "state", "process", "address"):
        table.add_column(column, no_wrap=True)
    for name, server in sandbox.servers.items():
        address = f"{HOST}:{server.service.port}" if server.service.port else ""
        pid = str(server.process.pid) if server.is_running else ""
        table.add_row(name, _describe_state(server), pid, address)
    _console.print(table)
    _console.print(f"""
Keystone's URL     {sandbox.auth_url}
Freezer's URL      {sandbox.freezer_url}
logs               {sandbox.logs}
for local backups  {sandbox.storage_dir}""")


def show_down(layout: Layout, *, was_there: bool, kept: bool) -> None:
    """Print that a sandbox is down."""
    if not was_there:
        _console.print(f"There is no sandbox [bold]{layout.name}[/]; nothing to do.")
        return
    remains = f"its logs are in {layout.logs}" if kept else "nothing of it is left"
    _console.print(f"The sandbox [bold]{layout.name}[/] is down; {remains}.")


def _describe_state(server: StartedServer) -> str:
    if server.is_running:
        return "[green]runs[/]"
    return "stopped" if server.stopped else "[red]ended by itself[/]"
