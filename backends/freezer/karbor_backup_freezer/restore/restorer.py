"""The steps of a rebuild: each looks at what there is, does what can be done now, and answers."""

import functools
from collections.abc import Callable, Mapping

from karbor_backup_core import (
    Json,
    Leftover,
    Operation,
    Progress,
    ProgressState,
    Resource,
    Transient,
)
from karbor_backup_freezer.model.ids import PREPARE, job_id
from karbor_backup_freezer.model.items import BackupItem, Mode
from karbor_backup_freezer.restore import images, server_images, volumes
from karbor_backup_freezer.restore.context import BackupContents, FreezerRestoreContext
from karbor_backup_freezer.restore.unproven_volumes import find_unproven_volumes
from karbor_backup_openstack.errors import NotFound
from karbor_backup_openstack.resource_types import SERVER, VOLUME
from karbor_backup_openstack.resources import CloudResources
from karbor_backup_openstack.restore import rollback
from karbor_backup_openstack.restore.results import check_pending, conclude, wait_until_gone
from karbor_backup_openstack.restore.servers import restore_server
from karbor_backup_openstack.restore.state import MemberStatus, RestoreState, StepResult
from karbor_backup_openstack.restore.volumes import prepare_target_volume
from karbor_backup_openstack.services import CloudServices


class ResourceRestorer:
    """Makes of the agent's items what was protected, or removes them again.

    Every method may be repeated at any time: what is made is marked with the operation's id, and
    looked for before it is made. Each raises ``Transient`` where a repeat may help, and
    ``BackendError`` where the cloud does not tell what there is.

    Args:
        services: the cloud to restore to.
        has_job: whether Freezer has a job of an id; errors are Freezer's.
    """

    def __init__(self, services: CloudServices, has_job: Callable[[str], bool]) -> None:
        self._services = services
        self._has_job = has_job

    def prepare(
        self, operation: Operation, handle: BackupContents, state_document: Json
    ) -> StepResult:
        """Have what the restore job needs: a new volume for each of Cinder's own backups.

        Answers ready when the job can begin, running while Cinder makes volumes, failed.
        """
        native = [s.item for s in handle.items if s.item.mode is Mode.NATIVE]
        context = self._build_context(
            operation, handle, state_document, job_id(operation.id, PREPARE)
        )
        if makes_volumes(operation, handle) and context.why_over():
            return _to_step_result(context, _over(context))
        for item in native:
            status = prepare_target_volume(context, item)
            if status.failure:
                return _to_step_result(
                    context, Progress(ProgressState.FAILED, reason=status.failure)
                )
        state = ProgressState.RUNNING if context.state.waiting else ProgressState.READY
        return _to_step_result(context, Progress(state))

    @staticmethod
    def native_target(state_document: Json, item: BackupItem) -> str:
        """Return the id of the volume that ``prepare`` has for an item.

        Raises:
            KeyError: it has none.
        """
        return RestoreState.from_document(state_document).volumes[item.id]

    def advance(
        self, operation: Operation, handle: BackupContents, state_document: Json
    ) -> StepResult:
        """Take the next step, once the agent has ended.

        Answers running while the cloud works (``look`` tells when to go on), ready to be called
        again, succeeded with everything that was restored, or failed with the reason and parts.
        """
        context = self._build_context(
            operation, handle, state_document, job_id(operation.id) if handle.items else ""
        )
        if context.why_over():
            return _to_step_result(context, _over(context))
        try:
            statuses = _restore_members(context)
        except NotFound as error:
            # It went away between two requests: the next look tells it as gone.
            raise Transient(str(error)) from error
        return _to_step_result(context, conclude(context, statuses))

    def find_attempted_items(self, operation: Operation, handle: BackupContents) -> frozenset[int]:
        """Return the places of the items that the agent has got to, as far as it left anything."""
        return self._build_context(operation, handle, {}).attempted_items()

    def check_pending(self, state_document: Json) -> Progress:
        """Return ready when what the last call waits for has come to rest; only reads."""
        state = RestoreState.from_document(state_document)
        return check_pending(CloudResources(self._services), state)

    def find_unproven_volumes(
        self, operation: Operation, handle: BackupContents
    ) -> tuple[Leftover, ...]:
        """Name the volumes that the agent may have made for a restore, without a proof."""
        return find_unproven_volumes(self._build_context(operation, handle, {}))

    def roll_back(
        self, operation: Operation, handle: BackupContents, state_document: Json
    ) -> StepResult:
        """Remove what a restore has made that did not succeed, but for a project's whole members.

        Answers running while things go away, or succeeded with what could not be removed.
        """
        context = self._build_context(operation, handle, state_document)
        removal = rollback.remove_all_except(context, rollback.retained_ids(operation))
        if removal.pending:
            wait_until_gone(context, removal)
            there = (*removal.pending, *removal.leftovers)
            return _to_step_result(context, Progress(ProgressState.RUNNING, leftovers=there))
        stays = (
            *removal.leftovers,
            *rollback.overwritten_volumes(context),
            *find_unproven_volumes(context),
        )
        return _to_step_result(context, Progress(ProgressState.SUCCEEDED, leftovers=stays))

    def surplus(
        self, operation: Operation, handle: BackupContents, state_document: Json
    ) -> tuple[Leftover, ...]:
        """Name what bears the marks of a restore that has succeeded and is none of its results."""
        return rollback.surplus(self._build_context(operation, handle, state_document))

    def _build_context(
        self, operation: Operation, handle: BackupContents, state_document: Json, fence: str = ""
    ) -> FreezerRestoreContext:
        read = RestoreState.from_document(state_document)
        read.waiting.clear()
        return FreezerRestoreContext(
            self._services, operation, handle, read, fence=fence, has_job=self._has_job
        )


def _to_step_result(context: FreezerRestoreContext, progress: Progress) -> StepResult:
    return StepResult(progress, context.state.to_document())


def makes_volumes(operation: Operation, handle: BackupContents) -> bool:
    """Return whether a restore makes volumes before its job begins."""
    natives = any(stored.item.mode is Mode.NATIVE for stored in handle.items)
    return natives and not operation.options.get("overwrite_volume", False)


def _over(context: FreezerRestoreContext) -> Progress:
    reason = (
        f"job {context.fence} is gone from Freezer: somebody has deleted it, or another process "
        "has finished with the operation"
    )
    return Progress(ProgressState.FAILED, reason=reason)


def _restore_members(context: FreezerRestoreContext) -> Mapping[Resource, MemberStatus]:
    """Bring every member forward; volumes before the servers that they belong to."""
    statuses: dict[Resource, MemberStatus] = {}
    devices = {
        a.volume: a.device for server in context.contents.servers for a in server.attachments
    }
    by_id: dict[str, MemberStatus] = {}
    for index, stored in enumerate(context.contents.items):
        item = stored.item
        if item.type == VOLUME:
            by_id[item.id] = volumes.restore_volume(
                context, index, stored, devices.get(item.id, "")
            )
            statuses[item.resource] = by_id[item.id]
        elif item.mode is Mode.GLANCE:
            statuses[item.resource] = images.restore_image(context, stored)
    find_image = functools.partial(server_images.prepare_boot_image, context)
    made = {
        Resource(SERVER, server.id, server.name): restore_server(context, server, by_id, find_image)
        for server in context.contents.servers
    }
    return {**made, **statuses}
