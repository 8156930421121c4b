"""The command ``karbor-backup``: its name, its commands, and how it ends."""

import sys
from typing import Any, NoReturn

import click

from karbor_backup_cli._commands import COMMANDS, plugins
from karbor_backup_cli._context import CliContext, common_options
from karbor_backup_cli._errors import PROGRAM, SystemFailure, report_error
from karbor_backup_cli._logging import configure_logging
from karbor_backup_cli._streams import prepare_streams, write_output
from karbor_backup_core import __version__, printable_lines, suggest_name


class CommandGroup(click.Group):
    """A group of commands that ends with our exit statuses, and never with a traceback.

    Other packages may add commands; one of ours goes before another of the same name.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List our commands, then the others'."""
        ours = super().list_commands(ctx)
        return [*ours, *(name for name in plugins.plugin_names() if name not in ours)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command; another package is imported only for a command of its own."""
        return super().get_command(ctx, cmd_name) or plugins.load_plugin(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the arguments name; before 8.3 click itself suggests none.

        Raises:
            click.UsageError: there is none of that name.
        """
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            known = self.list_commands(ctx)
            guess = suggest_name(name, known)
            ctx.fail(f"No such command {name!r}: {guess}the commands are: {', '.join(known)}")
        return super().resolve_command(ctx, args)

    def get_help(self, ctx: click.Context) -> str:
        """Return the help; the names of other packages' commands are theirs to choose."""
        return printable_lines(super().get_help(ctx))

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a fault of the system is told, where click would end without a word."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            raise SystemFailure(error) from error

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run the command that the arguments name, and exit."""
        prepare_streams()
        context = CliContext()
        configure_logging(debug=False, secrets=context.secrets)
        try:
            status = super().main(*args, **{**extra, "standalone_mode": False, "obj": context})
        except SystemExit:
            raise
        except BaseException as error:  # noqa: BLE001 - nobody above would tell the person
            status = report_error(error, as_json=context.as_json)
        finally:
            context.close()
        sys.exit(status)


@click.group(
    PROGRAM,
    cls=CommandGroup,
    invoke_without_command=True,
    no_args_is_help=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name=PROGRAM)
@common_options
@click.pass_context
def program(ctx: click.Context) -> None:
    """Protect cloud resources with any backup service, and restore them.

    Exit status: 0 done, 1 failed, 2 invalid input, 3 nothing was stored, 4 done but the output
    could not be written, 130 exited after a second Ctrl-C.
    """
    if ctx.invoked_subcommand is None:
        write_output(ctx.get_help())


for command in COMMANDS:
    program.add_command(command)
