"""The steps of a rebuild: each looks at what there is, does what can be done now, and answers."""

from collections.abc import Callable, Mapping

from karbor_backup_core import (
    Json,
    Leftover,
    Operation,
    Part,
    Progress,
    ProgressState,
    Resource,
    Result,
    Transient,
)
from karbor_backup_freezer.model.ids import PREPARE, job_id
from karbor_backup_freezer.model.items import BackupItem, Mode
from karbor_backup_freezer.model.resource_types import PROJECT, SERVER, VOLUME
from karbor_backup_freezer.restore import (
    images,
    rollback,
    servers,
    volumes,
)
from karbor_backup_freezer.restore.context import BackupContents, RestoreContext
from karbor_backup_freezer.restore.names import restored_name
from karbor_backup_freezer.restore.state import MemberStatus, RestoreState, StepResult
from karbor_backup_openstack.errors import NotFound
from karbor_backup_openstack.resources import (
    CloudResources,
    RemovalStatus,
    ResourceKind,
    is_busy,
)
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
        if makes_volumes(operation, handle) and not context.is_fence_up():
            return _to_step_result(context, _over(context))
        for item in native:
            status = volumes.prepare_target_volume(context, item)
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
        if not context.is_fence_up():
            return _to_step_result(context, _over(context))
        try:
            statuses = _restore_members(context)
        except NotFound as error:
            # It went away between two requests: the next look tells it as gone.
            raise Transient(str(error)) from error
        failed = any(status.failure for status in statuses.values())
        compound = operation.resource.type == PROJECT
        if failed and not compound:
            return _to_step_result(context, _failure_progress(context, statuses))
        if any(status.is_pending for status in statuses.values()):
            return _to_step_result(context, Progress(ProgressState.RUNNING))
        if failed:
            return _to_step_result(context, _failure_progress(context, statuses))
        removal = rollback.remove_all_except(context, context.state.created_ids())
        if removal.pending:
            _wait_until_gone(context, removal)
            return _to_step_result(
                context, Progress(ProgressState.RUNNING, leftovers=removal.pending)
            )
        return _to_step_result(context, _success_progress(context, statuses, removal.leftovers))

    def find_attempted_items(self, operation: Operation, handle: BackupContents) -> frozenset[int]:
        """Return the places of the items that the agent has got to, as far as it left anything."""
        return self._build_context(operation, handle, {}).attempted_items()

    def check_pending(self, state_document: Json) -> Progress:
        """Return ready when what the last call waits for has come to rest; only reads."""
        resources = CloudResources(self._services)
        unsettled = []
        for kind_name, identifier, gone in RestoreState.from_document(state_document).waiting:
            kind = ResourceKind(kind_name)
            resource = resources.get(kind, identifier)
            if resource is None or (
                resource.status == "error_deleting" if gone else not is_busy(kind, resource)
            ):
                continue
            unsettled.append(Leftover(kind, identifier, f"it is in state {resource.status}"))
        state = ProgressState.RUNNING if unsettled else ProgressState.READY
        return Progress(state, leftovers=tuple(unsettled))

    def find_unproven_volumes(
        self, operation: Operation, handle: BackupContents
    ) -> tuple[Leftover, ...]:
        """Name the volumes that the agent may have made for a restore, without a proof."""
        return rollback.unproven_volumes(self._build_context(operation, handle, {}))

    def roll_back(
        self, operation: Operation, handle: BackupContents, state_document: Json
    ) -> StepResult:
        """Remove what a restore has made that did not succeed, but for a project's whole members.

        Answers running while things go away, or succeeded with what could not be removed.
        """
        context = self._build_context(operation, handle, state_document)
        removal = rollback.remove_all_except(context, rollback.retained_ids(operation))
        if removal.pending:
            _wait_until_gone(context, removal)
            there = (*removal.pending, *removal.leftovers)
            return _to_step_result(context, Progress(ProgressState.RUNNING, leftovers=there))
        stays = (
            *removal.leftovers,
            *rollback.overwritten_volumes(context),
            *rollback.unproven_volumes(context),
        )
        return _to_step_result(context, Progress(ProgressState.SUCCEEDED, leftovers=stays))

    def surplus(
        self, operation: Operation, handle: BackupContents, state_document: Json
    ) -> tuple[Leftover, ...]:
        """Name what bears the marks of a restore that has succeeded and is none of its results."""
        return rollback.surplus(self._build_context(operation, handle, state_document))

    def _build_context(
        self, operation: Operation, handle: BackupContents, state_document: Json, fence: str = ""
    ) -> RestoreContext:
        read = RestoreState.from_document(state_document)
        read.waiting.clear()
        return RestoreContext(
            self._services, operation, handle, read, fence=fence, has_job=self._has_job
        )


def _to_step_result(context: RestoreContext, progress: Progress) -> StepResult:
    return StepResult(progress, context.state.to_document())


def makes_volumes(operation: Operation, handle: BackupContents) -> bool:
    """Return whether a restore makes volumes before its job begins."""
    natives = any(stored.item.mode is Mode.NATIVE for stored in handle.items)
    return natives and not operation.options.get("overwrite_volume", False)


def _over(context: RestoreContext) -> Progress:
    reason = (
        f"job {context.fence} is gone from Freezer: somebody has deleted it, or another process "
        "has finished with the operation"
    )
    return Progress(ProgressState.FAILED, reason=reason)


def _wait_until_gone(context: RestoreContext, removal: RemovalStatus) -> None:
    for left in removal.pending:
        context.state.wait_for(ResourceKind(left.kind), left.id, gone=True)


def _restore_members(context: RestoreContext) -> Mapping[Resource, MemberStatus]:
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
    made = {
        Resource(SERVER, server.id, server.name): servers.restore_server(context, server, by_id)
        for server in context.contents.servers
    }
    return {**made, **statuses}


def _to_parts(statuses: Mapping[Resource, MemberStatus]) -> tuple[Part, ...]:
    return tuple(
        Part(
            source,
            Result.SUCCEEDED if status.restored else Result.FAILED,
            status.failure,
            status.restored,
        )
        for source, status in statuses.items()
    )


def _success_progress(
    context: RestoreContext,
    statuses: Mapping[Resource, MemberStatus],
    leftovers: tuple[Leftover, ...],
) -> Progress:
    operation = context.operation
    restored = tuple(s.restored for s in statuses.values() if s.restored is not None)
    if operation.resource.type == PROJECT:
        name = restored_name(operation, operation.resource)
        restored = (Resource(PROJECT, operation.resource.id, name), *restored)
    parts = _to_parts(statuses)
    return Progress(
        ProgressState.SUCCEEDED,
        resources=restored,
        parts=parts if operation.resource.type == PROJECT or len(parts) > 1 else (),
        checks=context.state.checks(),
        leftovers=leftovers,
    )


def _failure_progress(
    context: RestoreContext, statuses: Mapping[Resource, MemberStatus]
) -> Progress:
    failures = [(s, status.failure) for s, status in statuses.items() if status.failure]
    source, first = failures[0]
    reason = f"{source.type} {source.id}: {first}"
    if context.operation.resource.type == PROJECT:
        whole = sum(status.restored is not None for status in statuses.values())
        reason = f"restored {whole} of {len(statuses)}; {reason}"
    return Progress(
        ProgressState.FAILED,
        reason=reason,
        parts=_to_parts(statuses) if len(statuses) > 1 else (),
        checks=context.state.checks(),
    )
