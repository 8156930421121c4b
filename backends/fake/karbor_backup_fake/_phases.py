"""Which step of the work each phase of an operation is, and what the cloud is asked for in it."""

from collections.abc import Mapping

from karbor_backup_core import Operation, Verb
from karbor_backup_fake import _serialization
from karbor_backup_fake._abilities import CHECK, COMPOUND, PRUNE
from karbor_backup_fake._model import JobKind, Task

_FINAL_KIND = {
    Verb.PROTECT: JobKind.COPY,
    Verb.RESTORE: JobKind.RESTORE,
    Verb.DELETE: JobKind.ERASE,
    Verb.VERIFY: JobKind.READ,
    Verb.COPY: JobKind.REPLICATE,
}


_MAINTENANCE_KIND = {PRUNE: JobKind.PRUNE, CHECK: JobKind.CHECK}


def phase_kinds(operation: Operation, phases: Mapping[str, int]) -> tuple[JobKind, ...]:
    """Return the steps of an operation; its phase, counted from 1, is the place among them.

    Args:
        operation: whose steps.
        phases: how many phases each verb is configured to take; one where it is not named.
    """
    steps = (JobKind.PREPARE,) * (phases.get(operation.verb, 1) - 1)
    if operation.verb is Verb.RESTORE and operation.resource.type in COMPOUND:
        steps = (*steps, JobKind.RESTORE_MEMBERS)
    if operation.action:
        return (*steps, _MAINTENANCE_KIND[operation.action])
    return (*steps, _FINAL_KIND[operation.verb])


def build_task(operation: Operation, step: JobKind, members_from: str = "", *, vault: str) -> Task:
    """Return what the cloud is asked for in one step.

    Args:
        operation: whose step.
        step: what kind of work it is.
        members_from: the id of the job that restored the members, for what has members.
        vault: which vault is to keep what is copied.
    """
    if operation.action:
        return Task(kind=step)
    if operation.backup is None:
        incremental = operation.options.get("incremental", False)
        return Task(kind=step, resource=operation.resource, vault=vault, incremental=incremental)
    return Task(
        kind=step,
        copy=_serialization.read_copy_id(operation.backup.handle),
        vault=vault,
        name=operation.options.get("restore_name", ""),
        in_place=operation.options.get("in_place", False),
        members_from=members_from,
    )
