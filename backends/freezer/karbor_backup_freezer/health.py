"""Whether Freezer can be used, and what an older one of its programs cannot do."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from karbor_backup_core import BackendError, Health
from karbor_backup_freezer.agent.versions import AgentVersions, describe_agent_limit
from karbor_backup_freezer.api.client import FreezerClient
from karbor_backup_freezer.api.schedulers import Scheduler, SchedulerLoad, SchedulerRegistry
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.directories.folder_permissions import describe_open_folders
from karbor_backup_openstack.connection import Connection

API_LIMIT: Final = (
    "the API is older than 19.0.0: it shows each user only that user's schedulers and jobs, does "
    "not refuse a job that is there already, and cannot complete the records of mode cindernative"
)
"""What an API before 19.0.0 lacks."""


def check_health(
    connection: Connection,
    client: FreezerClient,
    schedulers: SchedulerRegistry,
    agents: AgentVersions,
    configuration: Configuration,
) -> Health:
    """Look whether Freezer answers, who runs its jobs, and what older programs cannot do.

    What is told of agents is what the newest record of their host says: of a host without records
    nothing is known.
    """
    schedulers.invalidate()
    agents.invalidate()
    try:
        known = schedulers.list_all()
        loads = schedulers.get_loads() if known else {}
        endpoint = connection.endpoint
        versions = {one.client_id: agents.get_version(one.hostname) for one in known}
    except BackendError as error:
        return Health(ok=False, summary=str(error))
    details: dict[str, Any] = {
        "endpoint": endpoint,
        "schedulers": {one.client_id: one.hostname for one in known},
        "storages": {name: s.kind.value for name, s in configuration.storages.items()},
    }
    if not known:
        summary = f"no scheduler is registered at {endpoint}"
        return Health(ok=False, summary=summary, details=details)
    summary = f"{len(known)} schedulers at {endpoint}"
    silent = _find_silent(known, loads)
    if silent:
        described = "; ".join(f"{name}: {since}" for name, since in silent.items())
        summary = f"{summary}, {len(silent)} without a sign of life ({described})"
        details["silent"] = silent
    limits = [
        *([API_LIMIT] if client.predates_19 else []),
        *_agent_limits(known, versions),
        *describe_open_folders(configuration.storages.values()),
    ]
    details["agents"] = {one: version or "unknown" for one, version in versions.items()}
    if limits:
        details["limits"] = limits
    return Health(
        ok=len(silent) < len(known), summary="; ".join([summary, *limits]), details=details
    )


def _find_silent(known: Sequence[Scheduler], loads: Mapping[str, SchedulerLoad]) -> dict[str, str]:
    """Return what waits for each scheduler that shows no sign of life, by its client id."""
    return {
        one.client_id: f"a job waits for it since {moment:%Y-%m-%d %H:%M:%S} UTC"
        for one in known
        if one.client_id in loads and (since := loads[one.client_id].silent_since)
        for moment in [datetime.fromtimestamp(since, UTC)]
    }


def _agent_limits(known: Sequence[Scheduler], versions: Mapping[str, str]) -> Sequence[str]:
    """Return what the agents cannot do, once for each host."""
    hosts = {one.hostname: versions[one.client_id] for one in known}
    limits = {hostname: describe_agent_limit(version) for hostname, version in hosts.items()}
    return [f"on host {hostname!r} {limit}" for hostname, limit in limits.items() if limit]
