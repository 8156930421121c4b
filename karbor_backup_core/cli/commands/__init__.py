"""The commands, one a module."""

from typing import Final

import click

from karbor_backup_core.cli.commands.backends import backends
from karbor_backup_core.cli.commands.cancel import cancel
from karbor_backup_core.cli.commands.contract import contract
from karbor_backup_core.cli.commands.delete import delete
from karbor_backup_core.cli.commands.forget import forget
from karbor_backup_core.cli.commands.list_backups import list_backups
from karbor_backup_core.cli.commands.operations import operations
from karbor_backup_core.cli.commands.options import options
from karbor_backup_core.cli.commands.protect import protect
from karbor_backup_core.cli.commands.purge import purge
from karbor_backup_core.cli.commands.restore import restore
from karbor_backup_core.cli.commands.resume import resume
from karbor_backup_core.cli.commands.show import show
from karbor_backup_core.cli.commands.verify import verify

COMMANDS: Final[tuple[click.Command, ...]] = (
    backends,
    options,
    protect,
    restore,
    delete,
    verify,
    list_backups,
    show,
    operations,
    cancel,
    resume,
    forget,
    purge,
    contract,
)
