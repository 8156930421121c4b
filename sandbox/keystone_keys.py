"""Keystone's keys: for tokens, for receipts of half a login, and for stored credentials."""

import base64
import os
from pathlib import Path

_SECTIONS = ("fernet_tokens", "fernet_receipts", "credential")


def make_keys(directory: Path) -> str:
    """Make a repository for each kind of key, and return the configuration that names them.

    Without it Keystone looks for keys in the machine's `/etc/keystone`.
    """
    sections = []
    for section in _SECTIONS:
        repository = directory / f"{section}-keys"
        _make_repository(repository)
        sections.append(f"[{section}]\nkey_repository = {repository}\n")
    return "".join(sections)


def _make_repository(repository: Path) -> None:
    """Make a key repository: file 0 is the staged key, 1 the primary one.

    `keystone-manage fernet_setup` makes the same two files in two seconds.
    """
    repository.mkdir(mode=0o700)
    for name in ("0", "1"):
        key = repository / name
        key.touch(mode=0o600)
        key.write_bytes(base64.urlsafe_b64encode(os.urandom(32)))
