"""A peer: the loop that one writes by hand with python-freezerclient.

Eight threads create the jobs and delete what has ended. In between one looks every five seconds,
with as few requests as the client offers: the list of all jobs, in pages of 500.
"""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from freezerclient.v2.client import Client
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

from benchmarks.freezer.subject_protocol import SubjectSession

THREADS = 8
INTERVAL = 5.0
PAGE = 500


def main() -> None:
    """Do the operations that are asked for, all of a verb at once."""
    subject = SubjectSession()
    request = subject.request
    credentials = Password(
        auth_url=request["auth_url"],
        username=request["user"],
        password=request["password"],
        project_name=request["project"],
        user_domain_id="default",
        project_domain_id="default",
    )
    client = Client(session=Session(auth=credentials), endpoint=request["endpoint"])
    client.get_project_id  # noqa: B018 - asks Keystone, once
    containers = [f"loop/{uuid.uuid4().hex}" for _ in range(request["count"])]
    for verb in request["verbs"]:
        documents = [_job_document(request, verb, container) for container in containers]

        def do(known: dict[str, float], documents: list[dict[str, Any]] = documents) -> None:
            _run_verb(client, documents, known)

        subject.measure_verb(verb, do)
    subject.print_results()


def _job_document(request: Any, verb: str, container: str) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "mode": "fs",
        "engine_name": "tar",
        "storage": "swift",
        "container": container,
        "backup_name": "nightly",
        "hostname": request["host"],
    }
    fields |= {
        "protect": {"action": "backup", "path_to_backup": "/srv/data"},
        "restore": {"action": "restore", "restore_abs_path": "/srv/data"},
        "delete": {"action": "admin", "remove_older_than": "0"},
    }[verb]
    return {
        "job_id": uuid.uuid4().hex,
        "client_id": request["client"],
        "description": container,
        "job_schedule": {"event": "start", "status": "", "result": ""},
        "job_actions": [{"freezer_action": fields, "max_retries": 0, "max_retries_interval": 1}],
    }


def _run_verb(client: Client, documents: list[dict[str, Any]], known: dict[str, float]) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        waiting = set(pool.map(client.jobs.create, documents))
        while waiting:
            time.sleep(INTERVAL)
            ended = [
                job for job in _list_jobs(client) if _has_ended(job) and job["job_id"] in waiting
            ]
            known.update((job["job_id"], time.time()) for job in ended)
            waiting -= {job["job_id"] for job in ended}
            list(pool.map(lambda job: _delete_job(client, job), ended))


def _list_jobs(client: Client) -> Iterator[dict[str, Any]]:
    offset = 0
    while True:
        page = client.jobs.list_all(limit=PAGE, offset=offset)
        yield from page
        if len(page) < PAGE:
            return
        offset += len(page)


def _has_ended(job: dict[str, Any]) -> bool:
    schedule = job["job_schedule"]
    if schedule.get("result") == "fail":
        raise RuntimeError(f"job {job['job_id']} failed")
    return bool(schedule.get("result") == "success")


def _delete_job(client: Client, job: dict[str, Any]) -> None:
    for action in job["job_actions"]:
        client.actions.delete(action["action_id"])
    client.jobs.delete(job["job_id"])


if __name__ == "__main__":
    main()
