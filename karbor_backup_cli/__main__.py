"""``python -m karbor_backup_cli`` is the command ``karbor-backup``."""

from karbor_backup_cli._entry import run

run()
