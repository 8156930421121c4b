"""The effects of the fake cloud's jobs on its inventory, at their start and at their end.

Work is visible while it goes on, as in a real cloud: a copy that is not complete yet, a volume
that is empty as yet. Work that fails leaves just that behind.
"""

import hashlib
from collections.abc import Iterable
from typing import Any

import attrs

from karbor_backup_core import Check, Part, Resource, Result
from karbor_backup_fake._inventory import Inventory
from karbor_backup_fake._model import Asset, CloudError, Copy, Job, JobKind, JobState


def start_job(inventory: Inventory, job: Job, members_from: Job | None) -> Job:
    """Do what a job does at once; answer it with what it made and how much there is to do.

    Raises:
        CloudError: it cannot be done; nothing has been made.
    """
    task = job.task
    made: tuple[str, ...] = ()
    match task.kind:
        case JobKind.COPY if task.resource is not None:
            copy = inventory.create_copy(
                task.resource.id, job.operation, task.vault, incremental=task.incremental
            )
            made = (copy.id, *copy.members)
        case JobKind.REPLICATE:
            copy = inventory.replicate(task.copy, job.operation, task.vault)
            made = (copy.id, *copy.members)
        case JobKind.ERASE if inventory.dependents(task.copy):
            raise CloudError(f"copy {task.copy} is what others hold the changes since")
        case JobKind.RESTORE_MEMBERS:
            made = _start_members(inventory, job, task.copy)
        case JobKind.RESTORE:
            members = members_from.made if members_from else ()
            asset = inventory.create_restored_asset(
                task.copy, job.operation, name=task.name, members=members, in_place=task.in_place
            )
            made = (asset.resource.id,)
    source = made[0] if task.kind is JobKind.COPY else task.copy
    size = sum(len(copy.content) for copy in inventory.copy_tree(source))
    return attrs.evolve(job, made=made, size=size)


def finish_job(inventory: Inventory, job: Job) -> Job:
    """Do what a job does at its end; answer it as it ended."""
    if job.fails and not job.fails_member:
        return _fail(job, job.fails)
    try:
        return _apply_job(inventory, job)
    except CloudError as error:
        return _fail(job, str(error))


def _apply_job(inventory: Inventory, job: Job) -> Job:
    match job.task.kind:
        case JobKind.COPY:
            return _finish_copy(inventory, job)
        case JobKind.REPLICATE:
            return _finish_replica(inventory, job)
        case JobKind.RESTORE_MEMBERS | JobKind.RESTORE:
            return _finish_restore(inventory, job)
        case JobKind.READ:
            return _finish_read(inventory, job)
        case JobKind.CHECK:
            return _finish_check(inventory, job)
        case JobKind.PRUNE:
            inventory.forget_gone()
        case JobKind.ERASE:
            inventory.remove_tree(job.task.copy)
        case JobKind.UNDO:
            for target in job.task.targets:
                inventory.remove_tree(target)
    return attrs.evolve(job, state=JobState.DONE, done=job.size)


def _fail(job: Job, reason: str) -> Job:
    return attrs.evolve(job, state=JobState.FAILED, reason=reason)


def _start_members(inventory: Inventory, job: Job, copy_id: str) -> tuple[str, ...]:
    """Make the members of a copied resource, each with its own members inside."""
    in_place = job.task.in_place
    made = []
    for member_id in inventory.get_copy(copy_id).members:
        old = inventory.get_copy(member_id).resource
        asset = inventory.create_restored_asset(
            member_id,
            job.operation,
            members=_start_members(inventory, job, member_id),
            in_place=in_place and old.id not in inventory.assets,
        )
        made.append(asset.resource.id)
    return tuple(made)


def _finish_copy(inventory: Inventory, job: Job) -> Job:
    root = inventory.get_copy(job.made[0])
    parts = _parts(job, [inventory.get_copy(member).resource for member in root.members])
    failed = {part.resource.id for part in parts if part.result is not Result.SUCCEEDED}
    for copy in inventory.copy_tree(root.id):
        complete = copy.resource.id not in failed and not (failed and copy is root)
        inventory.copies[copy.id] = attrs.evolve(copy, complete=complete)
    return _complete(job, parts=parts)


def _finish_replica(inventory: Inventory, job: Job) -> Job:
    """Finish a copy of a copy, whose data had to be there, and whole, to the end."""
    inventory.get_copy(job.task.copy)
    damaged = _damaged(inventory.copy_tree(job.made[0]))
    if damaged:
        return _fail(job, f"the data of copy {job.task.copy} is damaged")
    return _finish_copy(inventory, job)


def _finish_restore(inventory: Inventory, job: Job) -> Job:
    """Fill what was made with the data of the copy."""
    copy = inventory.get_copy(job.task.copy)
    if job.task.kind is JobKind.RESTORE:
        asset = inventory.get_asset(job.made[0])
        inventory.assets[job.made[0]] = attrs.evolve(asset, content=copy.content)
        return _complete(_with_restored_parts(inventory, job, asset, copy))
    for made, member in zip(job.made, copy.members, strict=True):
        _fill_asset(inventory, made, inventory.get_copy(member))
    return _complete(job)


def _with_restored_parts(inventory: Inventory, job: Job, asset: Asset, copy: Copy) -> Job:
    """Return a job with the names of what it restored, and of what each member became."""
    parts = _parts(job, [inventory.get_copy(member).resource for member in copy.members])
    if job.fails:
        return attrs.evolve(job, parts=parts)
    new = [inventory.get_asset(member).resource for member in asset.members]
    parts = tuple(attrs.evolve(part, restored=made) for part, made in zip(parts, new, strict=True))
    return attrs.evolve(job, restored=(asset.resource, *new), parts=parts)


def _fill_asset(inventory: Inventory, asset_id: str, copy: Copy) -> None:
    asset = inventory.get_asset(asset_id)
    inventory.assets[asset_id] = attrs.evolve(asset, content=copy.content)
    for made, member in zip(asset.members, copy.members, strict=True):
        _fill_asset(inventory, made, inventory.get_copy(member))


def _finish_read(inventory: Inventory, job: Job) -> Job:
    copies = inventory.copy_tree(job.task.copy)
    damaged = _damaged(copies)
    if not copies:
        faults = ("the copy is gone", "there is nothing to read")
    else:
        faults = ("", f"the data of {', '.join(damaged)} is damaged" if damaged else "")
    checks = tuple(
        Check(name, verified=not fault, reason=fault)
        for name, fault in zip(("copy exists", "data is intact"), faults, strict=True)
    )
    checked = attrs.evolve(job, checks=checks)
    fault = next(filter(None, faults), "")
    return _fail(checked, fault) if fault else _complete(checked)


def _finish_check(inventory: Inventory, job: Job) -> Job:
    damaged = _damaged(copy for copy in inventory.copies.values() if copy.complete)
    fault = f"the data of {', '.join(damaged)} is damaged" if damaged else ""
    checked = attrs.evolve(job, checks=(Check("all data is intact", not damaged, fault),))
    return _fail(checked, fault) if fault else _complete(checked)


def _damaged(copies: Iterable[Copy]) -> list[str]:
    """Return the ids of copies whose data is not what was written."""
    return [each.id for each in copies if hashlib.sha256(each.content).hexdigest() != each.digest]


def _parts(job: Job, members: list[Resource]) -> tuple[Part, ...]:
    return tuple(
        Part(member, Result.FAILED, job.fails)
        if job.fails and job.fails_member in (member.id, member.name)
        else Part(member, Result.SUCCEEDED)
        for member in members
    )


def _complete(job: Job, **news: Any) -> Job:
    if job.fails:
        return _fail(attrs.evolve(job, **news), f"{job.fails_member}: {job.fails}")
    return attrs.evolve(job, state=JobState.DONE, done=job.size, **news)
