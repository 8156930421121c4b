"""Whether operations can be expected to work now."""

import os
import shutil
from typing import Any

from karbor_backup_core import BackendError, Health, InvalidInput
from karbor_backup_process import ProcessJobs
from karbor_backup_restic._repository import Repository
from karbor_backup_restic._restic import Restic


def check_health(restic: Restic, repository: Repository, jobs: ProcessJobs) -> Health:
    """Return whether restic can be started, opens the repository, and could keep its jobs."""
    program = restic.configuration.program
    details: dict[str, Any] = {"repository": restic.configuration.repository}
    if shutil.which(program) is None:
        return Health(
            ok=False,
            summary=f"{program}: there is no such program: install restic",
            details=details,
        )
    if not _can_be_made(jobs):
        summary = f"{jobs.directory}: jobs cannot be kept there: it cannot be written to"
        return Health(ok=False, summary=summary, details=details)
    try:
        details["restic"] = restic.run("say its version", "version").strip()
        details["id"] = repository.read_id()
        locks = repository.locks.ids()
    except (BackendError, InvalidInput) as error:
        return Health(ok=False, summary=str(error), details=details)
    details["locks"] = len(locks)
    held = f", {len(locks)} locks in it" if locks else ""
    return Health(ok=True, summary=f"repository {details['id'][:10]}{held}", details=details)


def _can_be_made(jobs: ProcessJobs) -> bool:
    """Return whether the directory of the jobs can be written to, or made."""
    existing = jobs.directory
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    return os.access(existing, os.W_OK | os.X_OK)
