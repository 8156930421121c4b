"""``python -m karbor_backup_core.cli`` is the command ``karbor-backup``."""

from karbor_backup_core.cli.entry import run

run()
