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
from karbor_backup_freezer.cloud.faults import NotFound
from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.cloud.things import Kind, Removal, Things
from karbor_backup_freezer.identifiers import PREPARE, job_id
from karbor_backup_freezer.pieces import Mode, Piece
from karbor_backup_freezer.rebuild import images, servers, settling, traces, undo, volumes
from karbor_backup_freezer.rebuild.names import restored_name
from karbor_backup_freezer.rebuild.notes import Notes, Standing, Step
from karbor_backup_freezer.rebuild.site import Contents, Site
from karbor_backup_freezer.resources import PROJECT, SERVER, VOLUME


class Rebuild:
    """Makes of the agent's pieces what was protected, or removes them again.

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

    def prepare(self, operation: Operation, handle: Contents, notes: Json) -> Step:
        """Have what the restore job needs: a new volume for each of Cinder's own backups.

        Answers ready when the job can begin, running while Cinder makes volumes, failed.
        """
        native = [s.piece for s in handle.pieces if s.piece.mode is Mode.NATIVE]
        site = self._site(operation, handle, notes, job_id(operation.id, PREPARE))
        if makes_volumes(operation, handle) and not site.is_fence_up():
            return _step(site, _over(site))
        for piece in native:
            standing = volumes.prepare(site, piece)
            if standing.failure:
                return _step(site, Progress(ProgressState.FAILED, reason=standing.failure))
        state = ProgressState.RUNNING if site.notes.waiting else ProgressState.READY
        return _step(site, Progress(state))

    @staticmethod
    def native_target(notes: Json, piece: Piece) -> str:
        """The id of the volume that ``prepare`` has for a piece.

        Raises:
            KeyError: it has none.
        """
        return Notes.read(notes).volumes[piece.id]

    def begin(self, operation: Operation, handle: Contents, notes: Json) -> Step:
        """Take the next step, once the agent has ended.

        Answers running while the cloud works (``look`` tells when to go on), ready to be called
        again, succeeded with everything that was restored, or failed with the reason and parts.
        """
        site = self._site(operation, handle, notes, job_id(operation.id) if handle.pieces else "")
        if not site.is_fence_up():
            return _step(site, _over(site))
        try:
            standings = _advance(site)
        except NotFound as error:
            # It went away between two requests: the next look tells it as gone.
            raise Transient(str(error)) from error
        failed = any(standing.failure for standing in standings.values())
        compound = operation.resource.type == PROJECT
        if failed and not compound:
            return _step(site, _failed(site, standings))
        if any(standing.waits for standing in standings.values()):
            return _step(site, Progress(ProgressState.RUNNING))
        if failed:
            return _step(site, _failed(site, standings))
        removal = undo.remove_all_but(site, site.notes.made())
        if removal.pending:
            _wait_until_gone(site, removal)
            return _step(site, Progress(ProgressState.RUNNING, leftovers=removal.pending))
        return _step(site, _succeeded(site, standings, removal.leftovers))

    def reached(self, operation: Operation, handle: Contents) -> frozenset[int]:
        """The places of the pieces that the agent has got to, as far as it left anything."""
        return traces.reached(self._site(operation, handle, {}))

    def look(self, operation: Operation, handle: Contents, notes: Json) -> Progress:  # noqa: ARG002 - as the others
        """Answer ready when what the last step waits for has come to rest; only reads."""
        return settling.look(Things(self._services), Notes.read(notes))

    def unproved(self, operation: Operation, handle: Contents) -> tuple[Leftover, ...]:
        """Name the volumes that the agent may have made for a restore, without a proof."""
        return undo.unproved(self._site(operation, handle, {}))

    def undo(self, operation: Operation, handle: Contents, notes: Json) -> Step:
        """Remove what a restore has made that did not succeed, but for a project's whole members.

        Answers running while things go away, or succeeded with what could not be removed.
        """
        site = self._site(operation, handle, notes)
        removal = undo.remove_all_but(site, undo.staying(operation))
        if removal.pending:
            _wait_until_gone(site, removal)
            there = (*removal.pending, *removal.leftovers)
            return _step(site, Progress(ProgressState.RUNNING, leftovers=there))
        stays = (*removal.leftovers, *undo.half_written(site), *undo.unproved(site))
        return _step(site, Progress(ProgressState.SUCCEEDED, leftovers=stays))

    def surplus(self, operation: Operation, handle: Contents, notes: Json) -> tuple[Leftover, ...]:
        """Name what bears the marks of a restore that has succeeded and is none of its results."""
        return undo.surplus(self._site(operation, handle, notes))

    def _site(self, operation: Operation, handle: Contents, notes: Json, fence: str = "") -> Site:
        read = Notes.read(notes)
        read.waiting.clear()
        return Site(self._services, operation, handle, read, fence=fence, has_job=self._has_job)


def _step(site: Site, progress: Progress) -> Step:
    return Step(progress, site.notes.document())


def makes_volumes(operation: Operation, handle: Contents) -> bool:
    """Return whether a restore makes volumes before its job begins."""
    natives = any(stored.piece.mode is Mode.NATIVE for stored in handle.pieces)
    return natives and not operation.options.get("overwrite_volume", False)


def _over(site: Site) -> Progress:
    reason = (
        f"job {site.fence} is gone from Freezer: somebody has deleted it, or another process has "
        "finished with the operation"
    )
    return Progress(ProgressState.FAILED, reason=reason)


def _wait_until_gone(site: Site, removal: Removal) -> None:
    for left in removal.pending:
        site.notes.wait(Kind(left.kind), left.id, gone=True)


def _advance(site: Site) -> Mapping[Resource, Standing]:
    """Bring every member forward; volumes before the servers that they belong to."""
    standings: dict[Resource, Standing] = {}
    devices = {a.volume: a.device for server in site.contents.servers for a in server.attachments}
    by_id: dict[str, Standing] = {}
    for index, stored in enumerate(site.contents.pieces):
        piece = stored.piece
        if piece.type == VOLUME:
            by_id[piece.id] = volumes.advance(site, index, stored, devices.get(piece.id, ""))
            standings[piece.resource] = by_id[piece.id]
        elif piece.mode is Mode.GLANCE:
            standings[piece.resource] = images.advance(site, stored)
    made = {
        Resource(SERVER, server.id, server.name): servers.advance(site, server, by_id)
        for server in site.contents.servers
    }
    return {**made, **standings}


def _parts(standings: Mapping[Resource, Standing]) -> tuple[Part, ...]:
    return tuple(
        Part(
            source,
            Result.SUCCEEDED if standing.restored else Result.FAILED,
            standing.failure,
            standing.restored,
        )
        for source, standing in standings.items()
    )


def _succeeded(
    site: Site, standings: Mapping[Resource, Standing], leftovers: tuple[Leftover, ...]
) -> Progress:
    operation = site.operation
    restored = tuple(s.restored for s in standings.values() if s.restored is not None)
    if operation.resource.type == PROJECT:
        name = restored_name(operation, operation.resource)
        restored = (Resource(PROJECT, operation.resource.id, name), *restored)
    parts = _parts(standings)
    return Progress(
        ProgressState.SUCCEEDED,
        resources=restored,
        parts=parts if operation.resource.type == PROJECT or len(parts) > 1 else (),
        checks=site.notes.checks(),
        leftovers=leftovers,
    )


def _failed(site: Site, standings: Mapping[Resource, Standing]) -> Progress:
    failures = [(s, standing.failure) for s, standing in standings.items() if standing.failure]
    source, first = failures[0]
    reason = f"{source.type} {source.id}: {first}"
    if site.operation.resource.type == PROJECT:
        whole = sum(standing.restored is not None for standing in standings.values())
        reason = f"restored {whole} of {len(standings)}; {reason}"
    return Progress(
        ProgressState.FAILED,
        reason=reason,
        parts=_parts(standings) if len(standings) > 1 else (),
        checks=site.notes.checks(),
    )
