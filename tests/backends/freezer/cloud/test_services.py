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
from karbor_backup_freezer.cloud.faults import asking
from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.connection import Connection
from sandbox import faults
from sandbox.faults import Answer
from tests.backends.freezer.answering import PROJECT_ID, AnsweringCloud, FixedConnection


def by_catalog(cloud: AnsweringCloud) -> session.Session:
    """A session with a Keystone whose catalog knows Cinder alone."""
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
    answer = Answer(201, headers, json.dumps({"token": token}).encode())
    cloud.proxy.plan(faults.Fault("token", answer=answer), times=None, path="/auth/tokens$")
    credentials = v3.Password(cloud.proxy.url, username="u", password="p")  # noqa: S106 - made up
    return session.Session(auth=credentials)


def test_nothing_that_is_sent_or_answered_is_logged(
    answering: AnsweringCloud, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answering.answer("/servers$", {"server": {"id": "s", "adminPass": "an5wered"}}, 202)
    server = answering.services.sdk.compute.create_server(name="s", user_data="s3nt")
    assert server.admin_password == "an5wered"  # noqa: S105 - it is made up
    assert "an5wered" not in caplog.text
    assert "s3nt" not in caplog.text


@pytest.mark.parametrize("path", ["/images/x", "/volumes/x", "/servers/x", "/networks/x"])
def test_a_request_is_tried_once(answering: AnsweringCloud, path: str) -> None:
    answering.proxy.plan(faults.status(503), times=None, path=path)
    sdk = answering.services.sdk
    lookups = {
        "/images/x": sdk.image.get_image,
        "/volumes/x": sdk.block_storage.get_volume,
        "/servers/x": sdk.compute.get_server,
        "/networks/x": sdk.network.get_network,
    }
    with pytest.raises(Exception, match="Service Unavailable"):
        lookups[path]("x")
    assert len([r for r in answering.proxy.requests if r.path.endswith(path)]) == 1


def test_retries_of_the_clouds_configuration_are_not_made(answering: AnsweringCloud) -> None:
    retries = {"compute_status_code_retries": 2, "connect_retries": 2, "status_code_retries": 2}
    connection = FixedConnection(answering.proxy.url, **retries)
    answering.proxy.plan(faults.status(503, retry_after=3600), times=None, path="/servers/x")
    with pytest.raises(Transient), asking("Nova for server x"):
        CloudServices(connection).sdk.compute.get_server("x")
    assert len([r for r in answering.proxy.requests if r.path.endswith("/servers/x")]) == 1


def _redirect(cloud: AnsweringCloud, path: str, target: str) -> None:
    answer = Answer(301, (("Location", target),), b"")
    cloud.proxy.plan(faults.Fault("redirect", answer=answer), times=None, path=path)


LOOKUPS: dict[str, Callable[[Any], object]] = {
    "servers": lambda sdk: sdk.compute.get_server("x"),
    "volumes": lambda sdk: sdk.block_storage.get_volume("x"),
    "images": lambda sdk: sdk.image.get_image("x"),
    "networks": lambda sdk: sdk.network.get_network("x"),
}


@pytest.mark.parametrize(("things", "look"), LOOKUPS.items(), ids=LOOKUPS)
def test_redirection_to_a_web_page_says_where_it_leads(
    answering: AnsweringCloud, things: str, look: Callable[[Any], object]
) -> None:
    page = f"{answering.proxy.url}/portal"
    _redirect(answering, f"/{things}/x$", page)
    answering.proxy.plan(faults.html(404), times=None, path="/portal$")
    with pytest.raises(BackendError) as caught, asking(f"the cloud for {things} x"):
        look(answering.services.sdk)
    assert not isinstance(caught.value, Transient)
    assert f"/{things}/x answered with status 301, which leads to {page}" in str(caught.value)


def test_redirection_that_leads_on_for_ever_says_where_it_leads(answering: AnsweringCloud) -> None:
    again = f"{answering.proxy.url}/compute/v2.1/servers/x"
    _redirect(answering, "/servers/x$", again)
    with pytest.raises(BackendError) as caught, asking("Nova for server x"):
        answering.services.sdk.compute.get_server("x")
    assert f"status 301, which leads to {again}" in str(caught.value)


def test_redirection_to_the_service_is_followed(answering: AnsweringCloud) -> None:
    _redirect(answering, "/volumes/x$", f"{answering.proxy.url}/elsewhere")
    answering.answer("/elsewhere$", {"volume": {"id": "x"}})
    assert answering.services.sdk.block_storage.get_volume("x").id == "x"


def test_the_project_is_that_of_the_credentials(answering: AnsweringCloud) -> None:
    assert answering.services.project == PROJECT_ID


def test_credentials_without_a_project_are_refused() -> None:
    given = session.Session(auth=token_endpoint.Token("http://127.0.0.1:9", "token"))
    services = CloudServices(Connection(Configuration.read({}), given))
    with pytest.raises(BackendError, match="no project"):
        assert services.project


def test_one_connection_serves_all(answering: AnsweringCloud) -> None:
    assert answering.services.sdk is answering.services.sdk


def test_connections_do_not_outlive_the_object(answering: AnsweringCloud) -> None:
    def connections() -> int:
        open_ones = psutil.Process().net_connections()
        return len([one for one in open_ones if one.raddr and one.raddr[1] == port])

    port = int(answering.proxy.url.rpartition(":")[2])
    services = CloudServices(FixedConnection(answering.proxy.url))
    answering.answer("/volumes/x$", {"volume": {"id": "x"}})
    services.sdk.block_storage.get_volume("x")
    assert connections() == 1
    del services
    gc.collect()
    assert connections() == 0


def test_a_given_session_without_a_limit_gets_one() -> None:
    given = session.Session(auth=token_endpoint.Token("http://127.0.0.1:9", "token"))
    connection = Connection(Configuration.read({"timeout": 3}), given)
    assert CloudServices(connection).sdk.session.timeout == 3
    assert given.timeout is None


def test_a_service_that_is_down_at_first_is_known_later(answering: AnsweringCloud) -> None:
    url = answering.proxy.url
    services = CloudServices(Connection(Configuration.read({"timeout": 60}), by_catalog(answering)))
    down = answering.proxy.plan(faults.status(503), times=None, path="^/volume")
    for _ in range(2):
        with pytest.raises(Transient), asking("Cinder for volume x"):
            services.sdk.block_storage.get_volume("x")
    down.times = down.fired
    links = [{"rel": "self", "href": f"{url}/volume/v3/"}]
    answering.answer(
        "^/volume/$", {"versions": [{"id": "v3.0", "status": "CURRENT", "links": links}]}
    )
    answering.answer("/volume/v3/volumes/x$", {"volume": {"id": "x"}})
    assert services.sdk.block_storage.get_volume("x").id == "x"


def test_a_service_that_the_catalog_lacks_is_named(answering: AnsweringCloud) -> None:
    services = CloudServices(Connection(Configuration.read({}), by_catalog(answering)))
    with pytest.raises(BackendError) as caught, asking("Nova for server x"):
        services.sdk.compute.get_server("x")
    assert str(caught.value) == (
        "asking Nova for server x: the catalog has no such service: public endpoint for compute "
        "service not found"
    )


def test_region_and_interface_are_the_configured_ones() -> None:
    given = session.Session(auth=token_endpoint.Token("http://127.0.0.1:9", "token"))
    configuration = Configuration.read({"region": "north", "interface": "internal"})
    config = CloudServices(Connection(configuration, given)).sdk.config
    assert config.get_region_name("compute") == "north"
    assert config.get_interface("compute") == "internal"
