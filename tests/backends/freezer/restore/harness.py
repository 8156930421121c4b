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
from karbor_backup_freezer.model.ids import item_prefix, job_id
from karbor_backup_freezer.model.items import BackupItem, Mode, StoredItem
from karbor_backup_freezer.restore import ResourceRestorer
from karbor_backup_openstack.restore.state import StepResult
from karbor_backup_openstack.server_spec import Attachment, ServerSpec
from karbor_backup_openstack.services import CloudServices
from tests.backends.openstack.stub_cloud import PROJECT_ID, StubConnection
from tests.support.scripted_cloud.application import Application
from tests.support.scripted_cloud.defaults import create_defaults
from tests.support.scripted_cloud.state import CloudState, FakeResource
from tests.support.scripted_cloud.tokens import TokenCache, TokenScope

GIB = 2**30
SERVER = "OS::Nova::Server"
VOLUME = "OS::Cinder::Volume"
PROJECT = "OS::Keystone::Project"
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class _SingleProjectTokens(TokenCache):
    """Every token is for one project."""

    def access(self, _token: str) -> TokenScope:
        return TokenScope(PROJECT_ID, sees_all=False)


class _QuietRequestHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        pass


@attrs.frozen
class FakeContents:
    """What a handle holds, as far as a rebuild reads it."""

    items: tuple[StoredItem, ...] = ()
    servers: tuple[ServerSpec, ...] = ()


class RestoreHarness:
    """The scripted cloud, the agent's part in it, and the steps of a rebuild."""

    def __init__(self) -> None:
        self.application = Application(_SingleProjectTokens(""))
        self.time = START.timestamp()
        self.application.state = CloudState(lambda: self.time, 10)
        create_defaults(self.state)
        self.changes = 0
        self.before_change: Callable[[], object] = lambda: None
        self.lost: int | None = None
        self._server = make_server(
            "127.0.0.1", 0, self._serve, threaded=True, request_handler=_QuietRequestHandler
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.services = CloudServices(
            StubConnection(f"http://127.0.0.1:{self._server.server_port}")
        )
        self.is_over = False
        self.rebuild = ResourceRestorer(self.services, lambda _job: not self.is_over)

    @property
    def state(self) -> CloudState:
        return self.application.state

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
        self.state.run_due()

    # What the agent does.

    def agent_volume(
        self, operation: Operation, index: int, item: BackupItem, length: int = GIB
    ) -> FakeResource:
        """Leave a volume as the agent's restore does: by an image that is gone again."""
        name = f"{item_prefix(job_id(operation.id), index)}restore_{item.id}"
        image = self._image(name, length)
        volume = self.sdk.block_storage.create_volume(
            name=f"{item.name}~17", size=1, image_id=image
        )
        self.pass_time()
        self.sdk.image.delete_image(image)
        return self.state.volumes.get(volume.id)

    def agent_server(
        self, operation: Operation, index: int, name: str, length: int = 9
    ) -> FakeResource:
        """Leave an image and a server as the agent's restore does; return the server."""
        image = self._image(f"{item_prefix(job_id(operation.id), index)}restore_{name}", length)
        server = self.sdk.compute.create_server(
            name=f"{name}~17", image_id=image, flavor_id=self.flavor.id, networks="auto"
        )
        return self.state.servers.get(server.id)

    def _image(self, name: str, length: int) -> str:
        formats = {"container_format": "bare", "disk_format": "raw"}
        image = self.sdk.image.create_image(name=name, data=b"data", **formats)
        self.state.images.get(image.id).shown["size"] = length
        return str(image.id)

    @property
    def flavor(self) -> FakeResource:
        return self.state.flavors.find_by_name("tiny")[0]

    @property
    def network(self) -> FakeResource:
        return self.state.networks.find_by_name("netA")[0]

    # What a rebuild does.

    def finish(
        self, operation: Operation, contents: FakeContents, notes: Json | None = None
    ) -> tuple[Progress, Json]:
        """Begin a rebuild and go on until it is over."""
        return self._drive(self.rebuild.advance, operation, contents, notes or {})

    def roll_back(
        self, operation: Operation, contents: FakeContents, notes: Json | None = None
    ) -> tuple[Progress, Json]:
        """Undo a rebuild to its end."""
        return self._drive(self.rebuild.roll_back, operation, contents, notes or {})

    def finish_despite_faults(
        self, operation: Operation, contents: FakeContents
    ) -> tuple[Progress, Json]:
        """As ``finish``; a step whose reply was lost is repeated with the notes before it."""

        def patient(operation: Operation, contents: FakeContents, notes: Json) -> StepResult:
            try:
                return self.rebuild.advance(operation, contents, notes)
            except Transient:
                return self.rebuild.advance(operation, contents, notes)

        return self._drive(patient, operation, contents, {})

    def _drive(
        self,
        step: Callable[[Operation, FakeContents, Json], StepResult],
        operation: Operation,
        contents: FakeContents,
        notes: Json,
    ) -> tuple[Progress, Json]:
        for _ in range(20):
            answer = step(operation, contents, notes)
            notes = answer.restore_state
            if answer.progress.state not in (ProgressState.RUNNING, ProgressState.READY):
                return answer.progress, notes
            if answer.progress.state is ProgressState.RUNNING:
                self.wait_until_ready(notes)
        raise AssertionError("the rebuild does not end")

    def wait_until_ready(self, notes: Json) -> None:
        """Let time pass until a rebuild can go on; it must have been worth waiting for."""
        assert self.rebuild.check_pending(notes).state is ProgressState.RUNNING
        self.pass_time()
        assert self.rebuild.check_pending(notes).state is ProgressState.READY

    def list_resources(self) -> set[str]:
        """Return all resources except the default ones and the ports of servers."""
        return {
            entry
            for entry in self.state.inventory
            if not entry.startswith("port/")
            and entry.partition("/")[2]
            not in {i.id for i in self.state.images.find_by_name("guest")}
        }


def restore_operation(resource: Resource, **options: Any) -> Operation:
    """Return a restore of a backup of a resource."""
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


def with_failed_outcome(operation: Operation, progress: Progress) -> Operation:
    """Return the operation with a failed answer as its outcome."""
    outcome = Outcome(Result.FAILED, progress.reason, parts=progress.parts)
    return attrs.evolve(operation, outcome=outcome)


def volume_item(name: str = "data", mode: Mode = Mode.CINDER, **details: Any) -> BackupItem:
    """Return a volume of one GiB as a discovery writes it down."""
    written = {"volume_type": "standard", "availability_zone": "nova", **details}
    return BackupItem(
        type=VOLUME, id=str(uuid.uuid4()), name=name, mode=mode, size=GIB, details=written
    )


def server_item(name: str = "web") -> BackupItem:
    """Return the image of a server as a discovery writes it down."""
    return BackupItem(type=SERVER, id=str(uuid.uuid4()), name=name, mode=Mode.NOVA)


def stored_items(*items: BackupItem, length: int | None = None) -> tuple[StoredItem, ...]:
    """Items after a protect."""
    return tuple(StoredItem(item=p, record="r", time_stamp=17, stored=length) for p in items)


def server_spec(
    cloud: RestoreHarness, item: BackupItem | None, *attachments: Attachment, **details: Any
) -> ServerSpec:
    """Return a server as a discovery writes it down; without an item it boots from a volume."""
    written = {
        "flavor": {"id": cloud.flavor.id, "name": "tiny", "vcpus": 1, "ram": 64, "disk": 1},
        "availability_zone": "nova",
        **details,
    }
    return ServerSpec(
        id=item.id if item else str(uuid.uuid4()),
        name=item.name if item else "web",
        boots_from_volume=item is None,
        attachments=attachments,
        details=written,
    )
