"""The scripted cloud as a WSGI application: routing, tokens, and errors in each service's words."""

import json
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

import attrs
from werkzeug.exceptions import HTTPException, Unauthorized
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from tests.support.scripted_cloud import cinder, glance, neutron, nova
from tests.support.scripted_cloud.api_call import ApiCall, Routes
from tests.support.scripted_cloud.state import CloudState
from tests.support.scripted_cloud.tokens import TokenCache


@attrs.frozen(eq=False)
class ServiceMount:
    """One service.

    Attributes:
        mount: the path that it is at.
        version: the path of its API below that.
        versions: what it says of its versions.
        routes: what it answers.
        error: words an error.
        discovery: the status of what it says of its versions where no version is asked for.
    """

    mount: str
    version: str
    versions: Mapping[str, Any]
    routes: Routes
    error: Callable[[HTTPException], Any]
    discovery: int = HTTPStatus.OK


def _fault_document(error: HTTPException) -> Any:
    """Word an error as Cinder and Nova do."""
    names = {
        HTTPStatus.BAD_REQUEST: "badRequest",
        HTTPStatus.UNAUTHORIZED: "unauthorized",
        HTTPStatus.FORBIDDEN: "forbidden",
        HTTPStatus.NOT_FOUND: "itemNotFound",
        HTTPStatus.CONFLICT: "conflictingRequest",
    }
    name = names.get(HTTPStatus(error.code or 500), "computeFault")
    return {name: {"code": error.code, "message": error.description}}


def _neutron_error_document(error: HTTPException) -> Any:
    return {"NeutronError": {"type": error.name, "message": error.description, "detail": ""}}


SERVICES: Final[Mapping[str, ServiceMount]] = {
    "block-storage": ServiceMount(
        "/volume", "/v3", cinder.VERSIONS, cinder.ROUTES, _fault_document
    ),
    "compute": ServiceMount("/compute", "/v2.1", nova.VERSIONS, nova.ROUTES, _fault_document),
    "image": ServiceMount(
        "/image",
        "/v2",
        glance.VERSIONS,
        glance.ROUTES,
        # Glance answers with a page.
        lambda _error: None,
        discovery=HTTPStatus.MULTIPLE_CHOICES,
    ),
    "network": ServiceMount(
        "/network", "/v2.0", neutron.VERSIONS, neutron.ROUTES, _neutron_error_document
    ),
}
"""The services by their types in Keystone's catalog."""


class Application:
    """The WSGI application of a scripted cloud.

    Args:
        tokens: says whom a token is for.
    """

    def __init__(self, tokens: TokenCache) -> None:
        self._tokens = tokens
        self.state = CloudState()
        self._map = Map([rule for part in SERVICES.values() for rule in _routing_rules(part)])

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer a request of WSGI."""
        request = Request(environ)
        return self._dispatch(request)(environ, start_response)

    def _dispatch(self, request: Request) -> Response:
        part = next((p for p in SERVICES.values() if request.path.startswith(p.mount)), None)
        try:
            handler, values = self._map.bind_to_environ(request.environ).match()
            if isinstance(handler, ServiceMount):
                return _version_response(handler, request)
            access = self._tokens.access(request.headers.get("X-Auth-Token", ""))
            state = self.state
            with state.lock:
                state.run_due()
                call = ApiCall(state, request, access.project, access.sees_all)
                return _to_response(handler(call, **values))
        except Unauthorized as error:
            return _to_response((error.code, {"error": {"message": error.description}}))
        except HTTPException as error:
            document = part.error(error) if part else None
            if document is None:
                return Response.from_app(error.get_response(), request.environ)
            return _to_response((error.code, document))


def _routing_rules(part: ServiceMount) -> Iterable[Rule]:
    for path in ("/", part.version, f"{part.version}/"):
        yield Rule(f"{part.mount}{path}", endpoint=part, methods=["GET"], strict_slashes=True)
    for method, path, handler in part.routes:
        yield Rule(f"{part.mount}{part.version}{path}", endpoint=handler, methods=[method])


def _version_response(part: ServiceMount, request: Request) -> Response:
    url = f"{request.host_url.rstrip('/')}{part.mount}"
    text = json.dumps(part.versions).replace("{url}", url)
    asks_for_version = request.path.startswith(f"{part.mount}{part.version}")
    status = HTTPStatus.OK if asks_for_version else part.discovery
    return Response(text, status, mimetype="application/json")


def _to_response(answer: Any) -> Response:
    if isinstance(answer, Response):
        return answer
    status, document = answer if isinstance(answer, tuple) else (HTTPStatus.OK, answer)
    if document is None:
        return Response(status=status)
    return Response(json.dumps(document), status, mimetype="application/json")
