"""What comes back of a volume and of a server through the Cinder backend, compared one by one.

The tests fail where the tables in ``docs/reference/cinder.md`` say anything else; `make
docs-cinder` writes the tables anew.
"""

import base64
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from openstack.connection import Connection

from karbor_backup_core import Operation, Resource, Runner
from sandbox.openstack.guest import TEXT_OFFSET
from sandbox.openstack.testing import CloudTestTools
from tests.e2e.cloud.cinder_cases import SERVER_CASES, VOLUME_CASES, View
from tests.e2e.cloud.cinder_table import PAGE, SERVERS, VOLUMES, Row, Table
from tests.e2e.cloud.harness import TIMEOUT
from tests.e2e.cloud.owned_resources import wait_until
from tests.e2e.cloud.test_servers import SERVER, VOLUME, group, key
from tests.e2e.freezer.harness import FreezerHarness, assert_succeeded
from tests.support.outcomes import get_backup

__all__ = ["group", "key"]


@pytest.fixture
def runner(make_cinder_runner: Callable[[], Runner]) -> Runner:
    return make_cinder_runner()


@pytest.fixture
def server_group(harness: FreezerHarness, sdk: Connection) -> Iterator[str]:
    made = sdk.compute.create_server_group(name=f"{harness.top}-group", policy="anti-affinity")
    yield made.id
    sdk.compute.delete_server_group(made)


def check_page(table: Table, rows: Sequence[Row]) -> None:
    table.save_rows(rows)
    page = PAGE.read_text(encoding="utf-8")
    assert table.insert(page, rows) == page, "run `make docs-cinder`, and look at what changed"


def look_at_volume(cloud_tools: CloudTestTools, sdk: Connection, volume: str) -> list[object]:
    view = View(cloud_tools, sdk, sdk.block_storage.get_volume(volume))
    return [look(view) for look in VOLUME_CASES.values()]


def describe_overwritten(source: object, before: object, after: object) -> str:
    """Say whose property a volume has that was overwritten."""
    if after == before:
        return "unchanged"
    return "as the source" if after == source else "neither"


def test_page_shows_what_comes_back_of_a_volume(
    cloud_tools: CloudTestTools,
    sdk: Connection,
    runner: Runner,
    make_image: Callable[..., str],
    make_volume: Callable[..., str],
    make_server: Callable[..., str],
    register_created: Callable[[Operation], Any],
) -> None:
    image = make_image("guest")
    source = make_volume(
        "source",
        b"source",
        image_id=image,
        volume_type="second",
        metadata={"role": "rows"},
        description="the rows",
    )
    target = make_volume(
        "target", b"target", size=2, metadata={"role": "notes"}, description="the notes"
    )
    server = make_server("web", image)
    sdk.compute.create_volume_attachment(server, volume_id=source)
    wait_until(lambda: sdk.block_storage.get_volume(source).status == "in-use")
    snapshot = sdk.block_storage.create_snapshot(volume_id=source, is_forced=True)
    wait_until(lambda: sdk.block_storage.get_snapshot(snapshot.id).status == "available")
    found = look_at_volume(cloud_tools, sdk, source)
    before = look_at_volume(cloud_tools, sdk, target)

    protected = runner.protect("cinder", Resource(VOLUME, source), {"snapshot_id": snapshot.id})
    backup = get_backup(runner.wait(protected.id, TIMEOUT))
    restored = runner.wait(runner.restore("cinder", backup).id, TIMEOUT)
    (new,) = register_created(restored)
    over = {"overwrite_volume": True, "volume_id": target}
    assert_succeeded(runner.wait(runner.restore("cinder", backup, over).id, TIMEOUT))

    made = look_at_volume(cloud_tools, sdk, new.id)
    after = look_at_volume(cloud_tools, sdk, target)
    news = ["yes" if one == other else "no" for one, other in zip(found, made, strict=True)]
    olds = map(describe_overwritten, found, before, after)
    check_page(VOLUMES, [[*row] for row in zip(VOLUME_CASES, news, olds, strict=True)])


@pytest.fixture
def rich_server(
    cloud_tools: CloudTestTools,
    sdk: Connection,
    key: str,
    group: str,
    server_group: str,
    make_image: Callable[..., str],
    make_volume: Callable[..., str],
    make_server: Callable[..., str],
) -> str:
    """Return a server that has everything that a server can have in this cloud; it is shut off."""
    identifier = make_server(
        "web",
        image=make_image("guest"),
        networks=("netB", "netA"),
        security_groups=[{"name": group}],
        key_name=key,
        metadata={"role": "web"},
        tags=["front"],
        description="the shop",
        user_data=base64.b64encode(b"#!/bin/sh").decode(),
        scheduler_hints={"group": server_group},
    )
    data = make_volume(
        "data", b"stored", volume_type="second", metadata={"role": "rows"}, description="the rows"
    )
    sdk.compute.create_volume_attachment(identifier, volume_id=data, delete_on_termination=True)
    wait_until(lambda: sdk.block_storage.get_volume(data).status == "in-use")
    port = next(iter(sdk.network.ports(device_id=identifier)))
    pairs = [{"ip_address": "10.9.0.200"}]
    sdk.network.update_port(port, allowed_address_pairs=pairs, description="the front")
    cloud_tools.write_disk(identifier, TEXT_OFFSET, b"system")
    sdk.compute.stop_server(identifier)
    wait_until(lambda: sdk.compute.get_server(identifier).status == "SHUTOFF")
    return identifier


def test_page_shows_what_comes_back_of_a_server(
    cloud_tools: CloudTestTools,
    sdk: Connection,
    admin_sdk: Connection,
    runner: Runner,
    rich_server: str,
    register_created: Callable[[Operation], Any],
) -> None:
    def look_at_server(identifier: str) -> list[object]:
        view = View(cloud_tools, sdk, admin_sdk.compute.get_server(identifier))
        return [look(view) for look in SERVER_CASES.values()]

    found = look_at_server(rich_server)
    protected = runner.protect("cinder", Resource(SERVER, rich_server))
    backup = get_backup(runner.wait(protected.id, TIMEOUT))
    sdk.compute.delete_server(rich_server)
    wait_until(lambda: rich_server not in {each.id for each in sdk.compute.servers()})

    restored = runner.wait(runner.restore("cinder", backup).id, TIMEOUT)
    server, _ = register_created(restored)
    made = look_at_server(server.id)
    assert_succeeded(runner.wait(runner.delete("cinder", backup).id, TIMEOUT))
    back = ["yes" if one == other else "no" for one, other in zip(found, made, strict=True)]
    check_page(SERVERS, [[*row] for row in zip(SERVER_CASES, back, strict=True)])
