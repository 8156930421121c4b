"""Which version of freezer-agent works on which host, and what one that is too old cannot do.

The API does not tell the version. The agent writes it into the record of each backup.
"""

import threading
import time
from collections.abc import Iterable, Mapping
from typing import Final

from karbor_backup_core import InvalidInput
from karbor_backup_freezer.api.client import Document, FreezerClient
from karbor_backup_freezer.api.records import record_metadata
from karbor_backup_freezer.model.items import BackupItem, Mode
from karbor_backup_openstack.libraries import version_numbers

MIN_VERSION_FOR_RESOURCES: Final = "19.0.0"
"""The first agent whose records say of which volume, server or image a backup is.

The agents before 18.0.0 besides do not know ``temp_resource_prefix``, by which what a restore has
made is found.
"""

CACHE_SECONDS: Final = 300.0
"""Seconds for which the records are not read again."""


class AgentVersions:
    """The agents' versions: the configured one, or what the newest record of each host says.

    Args:
        client: Freezer.
        configured: the version of all agents, None to read the records.
    """

    def __init__(self, client: FreezerClient, configured: str | None) -> None:
        self._client = client
        self._configured = configured
        self._lock = threading.Lock()
        self._known: Mapping[str, str] = {}
        self._known_until = 0.0

    def get_version(self, hostname: str) -> str:
        """Return the version of the agent on a host, empty where nothing tells.

        Raises:
            Transient: a repeat may help.
            BackendError: Freezer does not show its records.
        """
        if self._configured is not None:
            return self._configured
        with self._lock:
            if time.monotonic() >= self._known_until:
                self._known = newest_versions(self._client.iter_entries("backups"))
                self._known_until = time.monotonic() + CACHE_SECONDS
            return self._known.get(hostname, "")

    def invalidate(self) -> None:
        """Read the records anew the next time."""
        with self._lock:
            self._known_until = 0.0

    def require_support(self, hostname: str, items: Iterable[BackupItem]) -> None:
        """Refuse what the agent on a host is too old for; errors are also those of ``version``.

        Raises:
            InvalidInput: it is too old; the message names the version that is needed.
        """
        others = [item for item in items if item.mode is not Mode.FS]
        if not others or not (limit := describe_agent_limit(self.get_version(hostname))):
            return
        raise InvalidInput(
            f"the agent on host {hostname!r} cannot be used for {others[0].type}: {limit}; upgrade "
            "it, or name a scheduler of another host with the option 'scheduler'. If it has been "
            "upgraded since its newest record, set agent_version in the configuration"
        )


def describe_agent_limit(version: str) -> str:
    """Describe what an agent of that version cannot do; empty without a limit."""
    if not version or version_numbers(version) >= version_numbers(MIN_VERSION_FOR_RESOURCES):
        return ""
    return (
        f"freezer-agent {version} is used for directories only, since its records do not name the "
        f"volume, server or image of a backup; {MIN_VERSION_FOR_RESOURCES} or later is needed"
    )


def newest_versions(records: Iterable[Document]) -> Mapping[str, str]:
    """Return the version of the agent that made each host's newest record, by host."""
    newest: dict[str, tuple[int, str]] = {}
    for record in records:
        metadata = record_metadata(record)
        version = str(metadata.get("client_version") or "")
        hostname = str(metadata.get("hostname") or "")
        made = int(metadata.get("time_stamp") or 0)
        if version and made >= newest.get(hostname, (0, ""))[0]:
            newest[hostname] = (made, version)
    return {hostname: version for hostname, (_, version) in newest.items()}
