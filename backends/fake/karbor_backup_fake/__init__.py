"""An in-memory cloud as a backend of karbor-backup."""
