"""The command ``karbor-backup``: every room of it is private, the command line is its interface."""
