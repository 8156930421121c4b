"""A job with several actions, one of which fails: what a real scheduler does.

The backend's way of telling which member of a project failed stands on it.
"""

import socket
import time
import uuid
from pathlib import Path
from typing import Any

from karbor_backup_freezer.api.jobs import ENDED_STATES, Job, JobState, job_document
from tests.e2e.freezer.harness import FreezerHarness

TIMEOUT = 100.0


def _make_action(harness: FreezerHarness, tree: Path) -> dict[str, Any]:
    return {
        "action": "backup",
        "mode": "fs",
        "engine_name": "tar",
        "path_to_backup": str(tree),
        "storage": "local",
        "container": f"{harness.storage}/{harness.top}/{tree.name}",
        "backup_name": "nightly",
        "temp_resource_prefix": f"{tree.name}_",
        "hostname": socket.gethostname(),
    }


def test_mandatory_action_after_a_failed_one_is_skipped(
    clean_harness: FreezerHarness,
) -> None:
    client = clean_harness.client()
    trees = [clean_harness.tree(name) for name in ("first", "second", "third")]
    (trees[1] / "file").unlink()
    trees[1].rmdir()
    document = job_document(
        uuid.uuid4().hex, "node1", "three", [_make_action(clean_harness, tree) for tree in trees]
    )
    for action in document["job_actions"]:
        action["mandatory"] = True
    client.create_job(document)
    job = _wait_for_end(client, document["job_id"])
    records = client.search("backups", "job_id", job.id)
    try:
        assert (job.state, job.result) == (JobState.FAILED, "fail")
        # They come back in the order in which they were given, each with what it was told.
        assert [a.fields["temp_resource_prefix"] for a in job.actions] == [
            "first_",
            "second_",
            "third_",
        ]
        assert [r["backup_metadata"]["path_to_backup"] for r in records] == [str(trees[0])]
        # Freezer's API keeps the word "mandatory" to itself, so that no scheduler heeds it.
        stored = client.get_job(job.id)
        assert stored is not None
        assert not any("mandatory" in action for action in stored["job_actions"])
    finally:
        _delete_job(client, job, records)
        for file in clean_harness.left_on_disk():
            file.unlink()


def _wait_for_end(client: Any, identifier: str) -> Job:
    for _ in range(int(TIMEOUT / 0.5)):
        job = Job.from_document(client.get_job(identifier))
        if job.state in ENDED_STATES:
            return job
        time.sleep(0.5)
    raise AssertionError(f"job {identifier} has not ended in {TIMEOUT} s")


def _delete_job(client: Any, job: Job, records: Any) -> None:
    for record in records:
        client.delete_entry("backups", record["backup_id"])
    for action in job.actions:
        client.delete_entry("actions", action.id)
    client.delete_entry("jobs", job.id)
