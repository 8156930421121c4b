"""Directories: what a backup or a restore of one may touch, and what a backup holds of it.

- ``mounts``: the mount table of this host. ``hosts``: which host is this one.
- ``guarded_paths``: what a restore must not remove. ``processes``: Freezer's on this host.
- ``restore_guard``, ``protect_guard``: what is refused before a job is created.
"""
