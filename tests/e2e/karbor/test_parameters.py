"""Parameters of every type through Karbor's REST API, which keeps them as text."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.karbor.conftest import EXAMPLES
from tests.e2e.karbor.karbor_client import KarborClient
from tests.e2e.karbor.karbor_service import KarborService

VOLUME = {"type": "OS::Cinder::Volume", "id": "volume-1", "name": "boot"}
IMAGE = {"type": "OS::Glance::Image", "id": "image-1", "name": "image"}
SPECIFIED = {
    "options_schema": {"backup_name": "string", "description": "string"},
    "restore_schema": {"restore_name": "string"},
}
"""The properties of the specification, by the name of Karbor's schema."""


@pytest.fixture
def deployment(make_karbor: Callable[..., KarborService]) -> tuple[KarborService, str]:
    """Return a running Karbor over the fake backend, and its provider."""
    karbor = make_karbor()
    provider = karbor.add_provider("fake", (EXAMPLES / "fake.conf").read_text())
    freezer = (EXAMPLES / "freezer.conf").read_text()
    karbor.add_provider("freezer", freezer)
    karbor.start()
    return karbor, provider


def test_parameters_of_all_types_reach_the_backend(deployment: tuple[KarborService, str]) -> None:
    karbor, provider = deployment
    client = KarborClient(karbor)
    plan = karbor.plan(
        provider, [VOLUME], {VOLUME["type"]: {"backup_name": "nightly", "description": ""}}
    )
    checkpoint = client.run("checkpoint-create", provider, plan)["id"]
    assert karbor.wait_until_settled(provider, checkpoint) == "available"

    by_its_own_id: dict[str, Any] = {VOLUME["type"]: {"restore_name": "again", "in_place": False}}
    assert karbor.restore(provider, checkpoint, by_its_own_id)["status"] == "success"

    in_place: dict[str, Any] = {VOLUME["type"]: {"restore_name": "again", "in_place": True}}
    refused = karbor.restore(provider, checkpoint, in_place)
    assert refused["status"] == "fail"
    (reason,) = refused["resources_reason"].values()
    assert "volume-1" in reason, "the option was read, and the volume is still there"

    wrong: dict[str, Any] = {VOLUME["type"]: {"in_place": "perhaps"}}
    refused = karbor.restore(provider, checkpoint, wrong)
    (reason,) = refused["resources_reason"].values()
    assert "perhaps" in reason
    assert "in_place" in reason
    assert "true or false" in reason


def test_plan_may_set_the_backup_name_of_an_image(deployment: tuple[KarborService, str]) -> None:
    karbor, provider = deployment
    plan = karbor.plan(provider, [IMAGE], {IMAGE["type"]: {"backup_name": "nightly"}})
    assert karbor.wait_until_settled(provider, karbor.protect(provider, plan)) == "available"


def test_providers_show_the_schemas_of_the_specification(
    deployment: tuple[KarborService, str],
) -> None:
    karbor, _ = deployment
    providers = karbor.call("GET", "/providers")["providers"]
    (freezer,) = (each for each in providers if each["name"] == "Freezer")
    shown = freezer["extended_info_schema"]
    types = {
        "OS::Keystone::Project",
        "OS::Nova::Server",
        "OS::Cinder::Volume",
        "OS::Glance::Image",
        "OS::Neutron::Network",
    }
    for kind, properties in SPECIFIED.items():
        assert types <= set(shown[kind])
        for schema in shown[kind].values():
            shown_types = {name: each.get("type") for name, each in schema["properties"].items()}
            assert properties.items() <= shown_types.items()
            assert None not in shown_types.values(), "the dashboard shows no field without a type"
            assert schema["required"] == [next(iter(properties))]


def test_the_reason_of_a_failed_protect_is_in_the_operation_log(
    deployment: tuple[KarborService, str],
) -> None:
    karbor, provider = deployment
    client = KarborClient(karbor)
    plan = karbor.plan(provider, [{**VOLUME, "id": "no-such-volume"}, VOLUME])
    checkpoint = karbor.protect(provider, plan)
    assert karbor.wait_until_settled(provider, checkpoint) == "error"
    log = client.operation_log(checkpoint)
    assert "no-such-volume: " in log["error_info"]
    assert "the cloud has no resource no-such-volume" in log["error_info"]
    assert log["status"] == "error"
