"""OpenStack Freezer as a backend of karbor-backup."""
