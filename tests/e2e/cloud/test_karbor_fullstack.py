"""Karbor's own fullstack tests pass on this project's plugin in a real cloud."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from openstack.connection import Connection

from sandbox import Sandbox
from sandbox.environments import Environment
from sandbox.keystone import Identity
from sandbox.openstack.testing import CloudTestTools
from sandbox.ports import HOST
from tests.e2e.cloud.owned_resources import wait_until
from tests.e2e.cloud.test_karbor import Account, account, start_karbor
from tests.e2e.freezer.harness import FreezerHarness
from tests.e2e.karbor.conftest import directories, full_karbor, make_karbor
from tests.e2e.karbor.karbor_service import KarborService
from tests.karbor_glue.scenario_runner import run_once
from tests.support.karbor_environments import shared

__all__ = ["account", "directories", "full_karbor", "make_karbor", "shared"]

HERE = Path(__file__).parent
INSTALLED = "karbor/tests/fullstack"
SERVICE = "karbor-fullstack"

TIMEOUT = 3600.0
"""Seconds for all tests of one file: those of restores make eight backups and nine restores."""

LEFT = re.compile(r"[0-9a-f-]{36}@[0-9a-f-]{36}")
"""The default names of what is restored: a test of Karbor's looks at it, and leaves it."""

PROVIDERS = (
    "b766f37c-d011-4026-8228-28730d734a3f",
    "cf56bd3e-97a7-4078-b6d5-f36246333fd9",
    "6659007d-6f66-4a0f-9cb4-17d6aded0bb9",
    "90d5bfea-a259-41e6-80c6-dcfcfcd9d827",
)
"""The ids of the providers that Karbor's tests expect: no-op, OpenStack, file system, snapshots."""

CASES = {
    "providers": ("test_provider_get", "test_providers_list"),
    "plans": ("test_plans_get", "test_plans_list", "test_plans_update"),
    "restores": (
        "test_restore_create",
        "test_restore_create_without_target_and_auth",
        "test_restore_get",
        "test_restore_list",
        "test_restore_network_resources",
        "test_restore_resources",
        "test_restore_resources_with_fs_bank",
    ),
    "checkpoints": (
        "test_checkpoint_delete",
        "test_checkpoint_get",
        "test_checkpoint_list",
        "test_server_attached_volume_only_protect_server",
        "test_server_attached_volume_protect_both",
    ),
}
NOT_OURS = {
    "test_checkpoint_create",
    "test_server_boot_from_volume_with_attached_volume",
    "test_checkpoint_share_projection",
    "test_checkpoint_volume_snapshot",
}
"""Those that look for what Karbor's other plugins make: backups and snapshots of Cinder, shares."""


@pytest.fixture
def devstack(admin_sdk: Connection, sdk: Connection, cloud_tools: CloudTestTools) -> Iterator[None]:
    """Create devstack's flavor, network and image, which Karbor's tests use by their names.

    At the end it is removed, with the volumes that Karbor's tests have left.
    """
    flavor = admin_sdk.compute.create_flavor(name="cirros256", vcpus=1, ram=128, disk=1)
    network = sdk.network.create_network(name="private")
    sdk.network.create_subnet(
        network_id=network.id, ip_version=4, cidr="10.77.0.0/24", enable_dhcp=False
    )
    image = sdk.image.create_image(
        "cirros",
        data=cloud_tools.guest_image(b"cirros"),
        disk_format="raw",
        container_format="bare",
    )
    yield
    left = [each for each in sdk.block_storage.volumes() if LEFT.fullmatch(each.name or "")]
    for each in left:
        sdk.block_storage.delete_volume(each)
    wait_until(lambda: {each.id for each in left}.isdisjoint(_list_volumes(sdk)))
    sdk.image.delete_image(image)
    sdk.network.delete_network(network)
    admin_sdk.compute.delete_flavor(flavor)


def _list_volumes(sdk: Connection) -> set[str]:
    return {each.id for each in sdk.block_storage.volumes()}


@pytest.fixture
def environ(
    cloud: Sandbox,
    harness: FreezerHarness,
    account: Account,
    make_karbor: Callable[..., KarborService],
    tmp_path: Path,
) -> Iterator[dict[str, str]]:
    """Yield the environment of a Karbor with all four providers, as devstack names things."""
    karbor = start_karbor(cloud, harness, account, make_karbor, PROVIDERS)
    admin = Identity(cloud.auth_url, cloud.accounts["admin"])
    admin.add_service(SERVICE, "data-protect", f"http://{HOST}:{karbor.port}/v1/%(project_id)s")
    known = yaml.safe_load(cloud.clouds_yaml.read_text())["clouds"]["demo"]
    known["auth"]["auth_url"] = cloud.auth_url.removesuffix("/v3")
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(yaml.safe_dump({"clouds": {"devstack": known}}))
    yield {"OS_CLIENT_CONFIG_FILE": str(clouds)}
    admin.remove_service(SERVICE)


# One test, since Karbor's look for devstack's things by names that there can be once only.
@pytest.mark.usefixtures("nothing_left", "devstack")
@pytest.mark.timeout(1.5 * TIMEOUT)
def test_fullstack_tests_of_karbor(
    full_karbor: Environment, shared: Path, environ: dict[str, str]
) -> None:
    failures = {}
    for kind, cases in CASES.items():
        file = HERE / f"fullstack_{kind}.py"
        results = run_once(full_karbor, file, shared, environ, timeout=TIMEOUT)
        for case in cases:
            case_failures = results.failures.get(case, [f"has not run:\n{results.output}"])
            failures.update({f"{kind}: {case}": case_failures} if case_failures else {})
    assert failures == {}


def test_every_fullstack_test_of_the_installed_package_is_run_or_listed(
    full_karbor: Environment,
) -> None:
    (folder,) = full_karbor.path.glob(f"lib/python*/site-packages/{INSTALLED}")
    for kind, cases in CASES.items():
        tree = ast.parse((folder / f"test_{kind}.py").read_text())
        installed = {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        }
        assert installed - NOT_OURS == set(cases), kind
