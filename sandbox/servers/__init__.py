"""Programs that run in the servers' environments, where nothing of this project is installed."""
