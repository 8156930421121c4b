"""A scripted cloud in this process, and what Freezer's agent makes in it at a restore.

Requests are those of the real openstacksdk; time passes when a test says so.
"""

import datetime as dt
import threading
import uuid
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

import attrs
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from karbor_backup_core import (
    Json,
    Operation,
    Outcome,
    Progress,
    ProgressState,
    Resource,
    Result,
    Transient,
    Verb,
)
from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.identifiers import job_id, piece_prefix
from karbor_backup_freezer.pieces import (
    Attachment,
    Mode,
    Piece,
    ServerNotes,
    StoredPiece,
)
from karbor_backup_freezer.rebuild import Rebuild, Step
from sandbox.scripted_cloud.application import Application
from sandbox.scripted_cloud.furniture import furnish
from sandbox.scripted_cloud.tokens import Access, Tokens
from sandbox.scripted_cloud.world import Thing, World
from tests.backends.freezer.answering import PROJECT_ID, FixedConnection

GIB = 2**30
SERVER = "OS::Nova::Server"
VOLUME = "OS::Cinder::Volume"
PROJECT = "OS::Keystone::Project"
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class _OneProject(Tokens):
    """Every token is for one project."""

    def access(self, _token: str) -> Access:
        return Access(PROJECT_ID, sees_all=False)


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        pass


@attrs.frozen
class Contents:
    """What a handle holds, as far as a rebuild reads it."""

    pieces: tuple[StoredPiece, ...] = ()
    servers: tuple[ServerNotes, ...] = ()


class Cloud:
    """The scripted cloud, the agent's part in it, and the steps of a rebuild."""

    def __init__(self) -> None:
        self.application = Application(_OneProject(""))
        self.time = START.timestamp()
        self.application.world = World(lambda: self.time, 10)
        furnish(self.world)
        self.changes = 0
        self.before_change: Callable[[], object] = lambda: None
        self.lost: int | None = None
        self._server = make_server(
            "127.0.0.1", 0, self._serve, threaded=True, request_handler=_Quiet
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.services = CloudServices(
            FixedConnection(f"http://127.0.0.1:{self._server.server_port}")
        )
        self.is_over = False
        self.rebuild = Rebuild(self.services, lambda _job: not self.is_over)

    @property
    def world(self) -> World:
        return self.application.world

    @property
    def sdk(self) -> Any:
        return self.services.sdk

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        if request.method == "POST":
            self.before_change()
        response = Response.from_app(self.application, environ)
        if request.method not in ("GET", "HEAD"):
            self.changes += 1
            if self.changes == self.lost:
                response = Response("lost", HTTPStatus.SERVICE_UNAVAILABLE)
        return response(environ, start)

    def pass_time(self) -> None:
        """Let all work that was begun be done."""
        self.time += 10
        self.world.settle()

    # What the agent does.

    def agent_volume(
        self, operation: Operation, index: int, piece: Piece, length: int = GIB
    ) -> Thing:
        """Leave a volume as the agent's restore does: by an image that is gone again."""
        name = f"{piece_prefix(job_id(operation.id), index)}restore_{piece.id}"
        image = self._image(name, length)
        made = self.sdk.block_storage.create_volume(name=f"{piece.name}~17", size=1, image_id=image)
        self.pass_time()
        self.sdk.image.delete_image(image)
        return self.world.volumes.get(made.id)

    def agent_server(self, operation: Operation, index: int, name: str, length: int = 9) -> Thing:
        """Leave an image and a server as the agent's restore does; return the server."""
        image = self._image(f"{piece_prefix(job_id(operation.id), index)}restore_{name}", length)
        made = self.sdk.compute.create_server(
            name=f"{name}~17", image_id=image, flavor_id=self.flavor.id, networks="auto"
        )
        return self.world.servers.get(made.id)

    def _image(self, name: str, length: int) -> str:
        formats = {"container_format": "bare", "disk_format": "raw"}
        image = self.sdk.image.create_image(name=name, data=b"data", **formats)
        self.world.images.get(image.id).shown["size"] = length
        return str(image.id)

    @property
    def flavor(self) -> Thing:
        return self.world.flavors.named("tiny")[0]

    @property
    def network(self) -> Thing:
        return self.world.networks.named("netA")[0]

    # What a rebuild does.

    def finish(
        self, operation: Operation, contents: Contents, notes: Json | None = None
    ) -> tuple[Progress, Json]:
        """Begin a rebuild and go on until it is over."""
        return self._drive(self.rebuild.begin, operation, contents, notes or {})

    def undo(
        self, operation: Operation, contents: Contents, notes: Json | None = None
    ) -> tuple[Progress, Json]:
        """Undo a rebuild to its end."""
        return self._drive(self.rebuild.undo, operation, contents, notes or {})

    def finish_despite_faults(
        self, operation: Operation, contents: Contents
    ) -> tuple[Progress, Json]:
        """As ``finish``; a step whose reply was lost is repeated with the notes before it."""

        def patient(operation: Operation, contents: Contents, notes: Json) -> Step:
            try:
                return self.rebuild.begin(operation, contents, notes)
            except Transient:
                return self.rebuild.begin(operation, contents, notes)

        return self._drive(patient, operation, contents, {})

    def _drive(
        self,
        step: Callable[[Operation, Contents, Json], Step],
        operation: Operation,
        contents: Contents,
        notes: Json,
    ) -> tuple[Progress, Json]:
        for _ in range(20):
            answer = step(operation, contents, notes)
            notes = answer.notes
            if answer.progress.state not in (ProgressState.RUNNING, ProgressState.READY):
                return answer.progress, notes
            if answer.progress.state is ProgressState.RUNNING:
                self.wait(operation, contents, notes)
        raise AssertionError("the rebuild does not end")

    def wait(self, operation: Operation, contents: Contents, notes: Json) -> None:
        """Let time pass until a rebuild can go on; it must have been worth waiting for."""
        assert self.rebuild.look(operation, contents, notes).state is ProgressState.RUNNING
        self.pass_time()
        assert self.rebuild.look(operation, contents, notes).state is ProgressState.READY

    def made(self) -> set[str]:
        """What there is, but for the furniture and the ports of servers."""
        return {
            entry
            for entry in self.world.inventory
            if not entry.startswith("port/")
            and entry.partition("/")[2] not in {i.id for i in self.world.images.named("guest")}
        }


def restore_of(resource: Resource, **options: Any) -> Operation:
    """A restore of a backup of a resource."""
    return Operation(
        id=uuid.uuid4().hex,
        verb=Verb.RESTORE,
        backend="freezer",
        implementation="freezer",
        scope="",
        resource=resource,
        options={"restore_name": "new", **options},
        created_at=START,
        deadline=START,
    )


def ended(operation: Operation, progress: Progress) -> Operation:
    """The operation with a failed answer as its outcome."""
    outcome = Outcome(Result.FAILED, progress.reason, parts=progress.parts)
    return attrs.evolve(operation, outcome=outcome)


def volume_piece(name: str = "data", mode: Mode = Mode.CINDER, **details: Any) -> Piece:
    """A volume of one GiB as a survey writes it down."""
    written = {"volume_type": "standard", "availability_zone": "nova", **details}
    return Piece(type=VOLUME, id=str(uuid.uuid4()), name=name, mode=mode, size=GIB, details=written)


def server_piece(name: str = "web") -> Piece:
    """The image of a server as a survey writes it down."""
    return Piece(type=SERVER, id=str(uuid.uuid4()), name=name, mode=Mode.NOVA)


def stored(*pieces: Piece, length: int | None = None) -> tuple[StoredPiece, ...]:
    """Pieces after a protect."""
    return tuple(StoredPiece(piece=p, record="r", time_stamp=17, stored=length) for p in pieces)


def notes_of(
    cloud: Cloud, piece: Piece | None, *attachments: Attachment, **details: Any
) -> ServerNotes:
    """A server as a survey writes it down; without a piece it boots from a volume."""
    written = {
        "flavor": {"id": cloud.flavor.id, "name": "tiny", "vcpus": 1, "ram": 64, "disk": 1},
        "availability_zone": "nova",
        **details,
    }
    return ServerNotes(
        id=piece.id if piece else str(uuid.uuid4()),
        name=piece.name if piece else "web",
        boots_from_volume=piece is None,
        attachments=attachments,
        details=written,
    )
