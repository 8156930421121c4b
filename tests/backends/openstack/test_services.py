"""The way to the cloud's services."""

import gc
import json
import logging
from collections.abc import Callable
from typing import Any

import psutil
import pytest
from keystoneauth1 import session, token_endpoint
from keystoneauth1.identity import v3

from karbor_backup_core import BackendError, Transient
from karbor_backup_freezer.config import Configuration
from karbor_backup_openstack.connection import Connection
from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.services import CloudServices
from tests.backends.openstack.stub_cloud import PROJECT_ID, StubCloud, StubConnection
from tests.support import http_faults
from tests.support.http_faults import HttpResponse


def catalog_session(cloud: StubCloud) -> session.Session:
    """Return a session with a Keystone whose catalog knows Cinder alone."""
    endpoint = {"interface": "public", "url": f"{cloud.proxy.url}/volume/", "id": "e"}
    catalog = [{"type": "block-storage", "id": "c", "name": "cinder", "endpoints": [endpoint]}]
    token = {
        "methods": ["password"],
        "user": {"id": "u", "name": "u", "domain": {"id": "d", "name": "d"}},
        "project": {"id": PROJECT_ID, "name": "p", "domain": {"id": "d", "name": "d"}},
        "expires_at": "2999-01-01T00:00:00.000000Z",
        "issued_at": "2026-01-01T00:00:00.000000Z",
        "catalog": catalog,
    }
    headers = (("Content-Type", "application/json"), ("X-Subject-Token", "token"))
    answer = HttpResponse(201, headers, json.dumps({"token": token}).encode())
    cloud.proxy.plan(
        http_faults.HttpFault("token", answer=answer), times=None, path="/auth/tokens$"
    )
    credentials = v3.Password(cloud.proxy.url, username="u", password="p")  # noqa: S106 - made up
    return session.Session(auth=credentials)


def test_requests_and_answers_are_not_logged(
    stub_cloud: StubCloud, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stub_cloud.add_response("/servers$", {"server": {"id": "s", "adminPass": "an5wered"}}, 202)
    server = stub_cloud.services.sdk.compute.create_server(name="s", user_data="s3nt")
    assert server.admin_password == "an5wered"  # noqa: S105 - it is made up
    assert "an5wered" not in caplog.text
    assert "s3nt" not in caplog.text


@pytest.mark.parametrize("path", ["/images/x", "/volumes/x", "/servers/x", "/networks/x"])
def test_request_is_not_retried(stub_cloud: StubCloud, path: str) -> None:
    stub_cloud.proxy.plan(http_faults.error_response(503), times=None, path=path)
    sdk = stub_cloud.services.sdk
    lookups = {
        "/images/x": sdk.image.get_image,
        "/volumes/x": sdk.block_storage.get_volume,
        "/servers/x": sdk.compute.get_server,
        "/networks/x": sdk.network.get_network,
    }
    with pytest.raises(Exception, match="Service Unavailable"):
        lookups[path]("x")
    assert len([r for r in stub_cloud.proxy.requests if r.path.endswith(path)]) == 1


def test_retries_of_the_clouds_configuration_are_not_made(stub_cloud: StubCloud) -> None:
    retries = {"compute_status_code_retries": 2, "connect_retries": 2, "status_code_retries": 2}
    connection = StubConnection(stub_cloud.proxy.url, **retries)
    stub_cloud.proxy.plan(
        http_faults.error_response(503, retry_after=3600), times=None, path="/servers/x"
    )
    with pytest.raises(Transient), translate_errors("Nova for server x"):
        CloudServices(connection).sdk.compute.get_server("x")
    assert len([r for r in stub_cloud.proxy.requests if r.path.endswith("/servers/x")]) == 1


def _redirect(cloud: StubCloud, path: str, target: str) -> None:
    answer = HttpResponse(301, (("Location", target),), b"")
    cloud.proxy.plan(http_faults.HttpFault("redirect", answer=answer), times=None, path=path)


LOOKUPS: dict[str, Callable[[Any], object]] = {
    "servers": lambda sdk: sdk.compute.get_server("x"),
    "volumes": lambda sdk: sdk.block_storage.get_volume("x"),
    "images": lambda sdk: sdk.image.get_image("x"),
    "networks": lambda sdk: sdk.network.get_network("x"),
}


@pytest.mark.parametrize(("things", "look"), LOOKUPS.items(), ids=LOOKUPS)
def test_redirect_to_a_web_page_error_names_its_location(
    stub_cloud: StubCloud, things: str, look: Callable[[Any], object]
) -> None:
    page = f"{stub_cloud.proxy.url}/portal"
    _redirect(stub_cloud, f"/{things}/x$", page)
    stub_cloud.proxy.plan(http_faults.html_page(404), times=None, path="/portal$")
    with pytest.raises(BackendError) as caught, translate_errors(f"the cloud for {things} x"):
        look(stub_cloud.services.sdk)
    assert not isinstance(caught.value, Transient)
    assert f"/{things}/x answered with status 301, which leads to {page}" in str(caught.value)


def test_endless_redirect_error_names_its_location(stub_cloud: StubCloud) -> None:
    again = f"{stub_cloud.proxy.url}/compute/v2.1/servers/x"
    _redirect(stub_cloud, "/servers/x$", again)
    with pytest.raises(BackendError) as caught, translate_errors("Nova for server x"):
        stub_cloud.services.sdk.compute.get_server("x")
    assert f"status 301, which leads to {again}" in str(caught.value)


def test_redirect_to_the_service_is_followed(stub_cloud: StubCloud) -> None:
    _redirect(stub_cloud, "/volumes/x$", f"{stub_cloud.proxy.url}/elsewhere")
    stub_cloud.add_response("/elsewhere$", {"volume": {"id": "x"}})
    assert stub_cloud.services.sdk.block_storage.get_volume("x").id == "x"


def test_the_project_is_that_of_the_credentials(stub_cloud: StubCloud) -> None:
    assert stub_cloud.services.project == PROJECT_ID


def test_credentials_without_a_project_are_refused() -> None:
    given = session.Session(auth=token_endpoint.Token("http://127.0.0.1:9", "token"))
    services = CloudServices(Connection(Configuration.from_document({}), given))
    with pytest.raises(BackendError, match="no project"):
        assert services.project


def test_one_connection_serves_all(stub_cloud: StubCloud) -> None:
    assert stub_cloud.services.sdk is stub_cloud.services.sdk


def test_connections_are_closed_with_the_object(stub_cloud: StubCloud) -> None:
    def connections() -> int:
        open_ones = psutil.Process().net_connections()
        return len([one for one in open_ones if one.raddr and one.raddr[1] == port])

    port = int(stub_cloud.proxy.url.rpartition(":")[2])
    services = CloudServices(StubConnection(stub_cloud.proxy.url))
    stub_cloud.add_response("/volumes/x$", {"volume": {"id": "x"}})
    services.sdk.block_storage.get_volume("x")
    assert connections() == 1
    del services
    gc.collect()
    assert connections() == 0


def test_given_session_without_timeout_gets_one() -> None:
    given = session.Session(auth=token_endpoint.Token("http://127.0.0.1:9", "token"))
    connection = Connection(Configuration.from_document({"timeout": 3}), given)
    assert CloudServices(connection).sdk.session.timeout == 3
    assert given.timeout is None


def test_service_that_was_down_at_first_is_used_later(stub_cloud: StubCloud) -> None:
    url = stub_cloud.proxy.url
    services = CloudServices(
        Connection(Configuration.from_document({"timeout": 60}), catalog_session(stub_cloud))
    )
    down = stub_cloud.proxy.plan(http_faults.error_response(503), times=None, path="^/volume")
    for _ in range(2):
        with pytest.raises(Transient), translate_errors("Cinder for volume x"):
            services.sdk.block_storage.get_volume("x")
    down.times = down.fired
    links = [{"rel": "self", "href": f"{url}/volume/v3/"}]
    stub_cloud.add_response(
        "^/volume/$", {"versions": [{"id": "v3.0", "status": "CURRENT", "links": links}]}
    )
    stub_cloud.add_response("/volume/v3/volumes/x$", {"volume": {"id": "x"}})
    assert services.sdk.block_storage.get_volume("x").id == "x"


def test_service_missing_from_the_catalog_is_named(stub_cloud: StubCloud) -> None:
    services = CloudServices(
        Connection(Configuration.from_document({}), catalog_session(stub_cloud))
    )
    with pytest.raises(BackendError) as caught, translate_errors("Nova for server x"):
        services.sdk.compute.get_server("x")
    assert str(caught.value) == (
        "asking Nova for server x: the catalog has no such service: public endpoint for compute "
        "service not found"
    )


def test_region_and_interface_are_the_configured_ones() -> None:
    given = session.Session(auth=token_endpoint.Token("http://127.0.0.1:9", "token"))
    configuration = Configuration.from_document({"region": "north", "interface": "internal"})
    config = CloudServices(Connection(configuration, given)).sdk.config
    assert config.get_region_name("compute") == "north"
    assert config.get_interface("compute") == "internal"
