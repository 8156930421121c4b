"""Stores of operations and backups."""
