"""Karbor's API over the fake backend, with the provider's file that is shipped for a trial."""

from collections.abc import Callable

import pytest

from tests.e2e.karbor.conftest import EXAMPLES
from tests.e2e.karbor.karbor_service import KarborService

VOLUME = {"type": "OS::Cinder::Volume", "id": "volume-1", "name": "boot"}
SERVER = {"type": "OS::Nova::Server", "id": "server-1", "name": "web"}
PROJECT = {"type": "OS::Keystone::Project", "id": "project-1", "name": "project"}
IMAGE = {"type": "OS::Glance::Image", "id": "image-1", "name": "image"}


@pytest.fixture
def deployment(make_karbor: Callable[..., KarborService]) -> tuple[KarborService, str]:
    karbor = make_karbor()
    provider = karbor.add_provider("fake", (EXAMPLES / "fake.conf").read_text())
    karbor.start()
    return karbor, provider


def test_protect_restore_verify_delete(deployment: tuple[KarborService, str]) -> None:
    karbor, provider = deployment
    plan = karbor.plan(
        provider, [VOLUME, SERVER, IMAGE], {"OS::Cinder::Volume": {"backup_name": "nightly"}}
    )
    checkpoint = karbor.protect(provider, plan)
    assert karbor.wait_until_settled(provider, checkpoint) == "available"

    restored = karbor.restore(
        provider, checkpoint, {"OS::Cinder::Volume": {"restore_name": "again"}}
    )
    assert restored["status"] == "success"
    assert set(restored["resources_status"].values()) == {"available"}
    assert not any(key.endswith("#volume-1") for key in restored["resources_status"])

    verified = karbor.verify(provider, checkpoint)
    assert verified["status"] == "success"
    assert verified["resources_status"]["OS::Cinder::Volume#volume-1"] == "available"

    assert karbor.delete(provider, checkpoint) == "deleted"


def test_failed_protect_has_its_reason_and_can_be_deleted(
    deployment: tuple[KarborService, str],
) -> None:
    karbor, provider = deployment
    missing = {**VOLUME, "id": "no-such-volume"}
    plan = karbor.plan(provider, [missing, VOLUME])
    checkpoint = karbor.protect(provider, plan)
    assert karbor.wait_until_settled(provider, checkpoint) == "error"
    assert "the cloud has no resource no-such-volume" in karbor.log.read_text()
    assert karbor.delete(provider, checkpoint) == "deleted"


def test_every_type_that_the_provider_shows_can_be_protected(
    deployment: tuple[KarborService, str],
) -> None:
    karbor, provider = deployment
    shown = karbor.call("GET", f"/providers/{provider}")["provider"]["extended_info_schema"]
    named = {VOLUME["type"]: VOLUME, SERVER["type"]: SERVER, PROJECT["type"]: PROJECT}
    for kind in shown["options_schema"]:
        resource = named.get(kind, {"type": kind, "id": "any", "name": "any"})
        checkpoint = karbor.protect(provider, karbor.plan(provider, [resource]))
        assert karbor.wait_until_settled(provider, checkpoint) == "available", kind


def test_karbor_shows_the_options_and_refuses_others(
    deployment: tuple[KarborService, str],
) -> None:
    karbor, provider = deployment
    shown = karbor.call("GET", f"/providers/{provider}")["provider"]["extended_info_schema"]
    options = shown["options_schema"]["OS::Nova::Server"]["properties"]
    assert {"backup_name", "description"} <= set(options)
    with pytest.raises(AssertionError, match="invalid"):
        karbor.plan(provider, [VOLUME], {"OS::Cinder::Volume": {"colour": "blue"}})
