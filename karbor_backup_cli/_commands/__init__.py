"""The commands, one a module."""

from typing import Final

import click

from karbor_backup_cli._commands.abandon import abandon
from karbor_backup_cli._commands.backends import backends
from karbor_backup_cli._commands.cancel import cancel
from karbor_backup_cli._commands.contract import contract
from karbor_backup_cli._commands.copy import copy
from karbor_backup_cli._commands.delete import delete
from karbor_backup_cli._commands.list_backups import list_backups
from karbor_backup_cli._commands.maintain import maintain
from karbor_backup_cli._commands.operations import operations
from karbor_backup_cli._commands.options import options
from karbor_backup_cli._commands.protect import protect
from karbor_backup_cli._commands.purge import purge
from karbor_backup_cli._commands.restore import restore
from karbor_backup_cli._commands.resume import resume
from karbor_backup_cli._commands.show import show
from karbor_backup_cli._commands.verify import verify

COMMANDS: Final[tuple[click.Command, ...]] = (
    backends,
    options,
    protect,
    restore,
    delete,
    verify,
    copy,
    maintain,
    list_backups,
    show,
    operations,
    cancel,
    resume,
    abandon,
    purge,
    contract,
)
