"""Drives operations: the driver, the runner with its threads, polls, delays and leases."""
