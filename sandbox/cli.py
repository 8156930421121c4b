"""The command's options; what each command says is in `sandbox.display`."""

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import get_args

import click
from rich.console import Console

from sandbox import display, processes
from sandbox.cloud import DEFAULT_INSTANCE, Sandbox
from sandbox.command import run_command
from sandbox.databases import DatabaseKind
from sandbox.errors import SandboxError
from sandbox.instance import Instance
from sandbox.layout import Project
from sandbox.parts import PARTS

ROOT = Path(__file__).parents[1]

_instance = click.option(
    "--instance",
    default=DEFAULT_INSTANCE,
    show_default=True,
    metavar="NAME",
    help="Which sandbox; several run side by side.",
)
_with = click.option(
    "--with",
    "with_parts",
    default="",
    metavar="PART,...",
    help=f"Optional parts to bring up too: {', '.join(PARTS)}.",
)


@click.group(help="A real Keystone and a real Freezer on loopback, in this checkout.")
def sandbox() -> None:
    """Hold the commands together."""


@sandbox.command(help="Bring the sandbox up; it stays until `down`.")
@_instance
@_with
@click.option(
    "--freezer-database",
    type=click.Choice(get_args(DatabaseKind)),
    default="sqlite",
    show_default=True,
    help="What the Freezer API keeps its jobs in; on mariadb it serves many clients at a time.",
)
@click.option("--cloud", is_flag=True, help="With Glance, Cinder, Neutron and Nova; needs root.")
def up(instance: str, with_parts: str, freezer_database: DatabaseKind, *, cloud: bool) -> None:
    """Bring the sandbox up and say what runs where."""
    new_sandbox = Sandbox.up(
        ROOT,
        instance=instance,
        with_parts=[*_split_names(with_parts), *(["cloud"] if cloud else [])],
        freezer_database=freezer_database,
        detached=True,
        report=display.print_progress,
    )
    display.show_up(new_sandbox)


@sandbox.command(help="Stop everything and remove its files.")
@_instance
@click.option("--all", "every", is_flag=True, help="Take down every sandbox of this checkout.")
@click.option("--keep", is_flag=True, help="Keep the servers' logs.")
def down(instance: str, *, every: bool, keep: bool) -> None:
    """Take one or all sandboxes down."""
    project = Project(ROOT)
    layouts = list(project.instances()) if every else [project.instance(instance)]
    with project.lock():
        for layout in layouts:
            was_there = layout.home.exists()
            Instance(project, layout).take_down(keep_logs=keep)
            display.show_down(layout, was_there=was_there, kept=keep)


@sandbox.command(help="Print what runs where. Exit status 1 when the sandbox is not up.")
@_instance
def status(instance: str) -> None:
    """Print what runs where."""
    display.show_status(Sandbox.attach(ROOT, instance=instance))


@sandbox.command(
    help="Bring a sandbox of its own up, run COMMAND in its cloud, take it down with all that "
    "COMMAND has left running; the exit status is COMMAND's.",
    context_settings={"ignore_unknown_options": True},
)
@_with
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def run(with_parts: str, command: tuple[str, ...]) -> None:
    """Run a command in a sandbox that lives as long as it does."""
    with Sandbox.up(
        ROOT,
        instance=f"run-{os.getpid()}",
        with_parts=_split_names(with_parts),
        report=display.print_progress,
    ) as own:
        mark = {processes.MARK: str(own.instance.layout.home)}
        returned = run_command(command, {**own.environ, **mark})
    sys.exit(returned)


def main() -> None:
    """Run the command; whatever ends it, what it was bringing up is taken down again."""
    _exit_on_signals()
    try:
        sandbox(prog_name="python -m sandbox")
    except SandboxError as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(str(error), markup=False)
        sys.exit(1)


def _split_names(comma_separated: str) -> list[str]:
    return [name.strip() for name in comma_separated.split(",") if name.strip()]


def _exit_on_signals() -> None:
    """Let SIGTERM and SIGHUP unwind the program as Ctrl-C does, unless they are to be ignored."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)
