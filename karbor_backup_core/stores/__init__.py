"""Where operations and backups are remembered."""
