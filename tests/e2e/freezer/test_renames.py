"""The same Freezer under another name, and Freezers of several regions, by a real catalog.

The catalog is changed here, so these tests have a sandbox of their own.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from karbor_backup_core import Backup, InvalidInput, Verb, WrongScope
from karbor_backup_core.documents import from_document, to_document
from karbor_backup_freezer import FreezerBackend
from sandbox import Sandbox
from tests.e2e.freezer.harness import (
    FreezerHarness,
    assert_succeeded,
    protect_directory,
    run_operation,
)
from tests.support.fault_proxy import FaultProxy

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def own_sandbox() -> Iterator[Sandbox]:
    with Sandbox.up(ROOT, instance=f"renames-{os.getpid()}", owner=os.getpid()) as sandbox:
        yield sandbox


@attrs.define
class Catalog:
    """Keystone's catalog, as its administrator changes it."""

    sandbox: Sandbox

    def _call(self, method: str, path: str, **body: Any) -> Any:
        session = self.sandbox.session("admin")
        url = f"{self.sandbox.auth_url}{path}"
        answer = session.request(url, method, json=body or None)
        return answer.json() if answer.content else None

    def rename(self, url: str) -> None:
        """Give Freezer's endpoints in the first region another URL."""
        for endpoint in self._freezer():
            self._call("PATCH", f"/endpoints/{endpoint['id']}", endpoint={"url": url})

    def add_region(self, name: str, url: str) -> None:
        """Give Freezer an endpoint in another region."""
        service = self._freezer()[0]["service_id"]
        self._call("POST", "/regions", region={"id": name})
        endpoint = {"service_id": service, "interface": "public", "region_id": name, "url": url}
        self._call("POST", "/endpoints", endpoint=endpoint)

    def _freezer(self) -> Any:
        (service,) = self._call("GET", "/services?type=backup")["services"]
        return self._call("GET", f"/endpoints?service_id={service['id']}")["endpoints"]


@pytest.fixture
def harness(make_harness: Callable[[Sandbox], FreezerHarness], own_sandbox: Sandbox) -> Any:
    return make_harness(own_sandbox)


@pytest.fixture
def catalog(own_sandbox: Sandbox) -> Catalog:
    return Catalog(own_sandbox)


def test_backup_is_restored_verified_and_deleted_after_its_endpoint_was_renamed(
    harness: FreezerHarness, catalog: Catalog
) -> None:
    tree = harness.tree()
    document = to_document(protect_directory(harness.runner(), tree))
    port = harness.sandbox.freezer_url.rpartition(":")[2]
    catalog.rename(f"http://LOCALHOST:{port}/v2/%(tenant_id)s/")
    backup = from_document(Backup, document)
    runner = harness.runner()
    (tree / "file").unlink()
    restored = {"restore_name": "new", "overwrite": True}
    assert_succeeded(run_operation(runner, Verb.RESTORE, backup, restored))
    assert (tree / "file").read_bytes() == b"content"
    assert_succeeded(run_operation(runner, Verb.VERIFY, backup))
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))
    assert harness.left_in_freezer() == {"jobs": [], "actions": [], "backups": []}


def test_service_that_only_the_configuration_knows_as_the_same_is_accepted(
    harness: FreezerHarness,
) -> None:
    backup = protect_directory(harness.runner(), harness.tree())
    with FaultProxy(harness.sandbox.freezer_url) as proxy:
        with pytest.raises(WrongScope, match="same_as") as refused:
            run_operation(harness.runner(endpoint=proxy.url), Verb.VERIFY, backup)
        assert f'same_as = ["{backup.scope}"]' in str(refused.value)
        accepting = harness.runner(endpoint=proxy.url, same_as=[backup.scope])
        operation = run_operation(accepting, Verb.DELETE, backup)
        assert_succeeded(operation)
        assert operation.scope.startswith(f"{proxy.url}|")
        assert operation.backup == backup


def test_region_decides_which_freezer_is_asked(
    harness: FreezerHarness, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with FaultProxy(harness.sandbox.freezer_url) as proxy:
        catalog.add_region("RegionTwo", f"{proxy.url}/v2/")
        assert harness.backend().health().ok
        assert "in region RegionOne|" in harness.backend().scope()
        with pytest.raises(InvalidInput, match=r"several regions \(RegionOne, RegionTwo\): name"):
            FreezerBackend({}, session=harness.sandbox.session("demo")).scope()
        assert not proxy.requests

        clouds = tmp_path / "clouds.yaml"
        text = harness.sandbox.clouds_yaml.read_text()
        clouds.write_text(text.replace('region_name: "RegionOne"', "region_name: RegionTwo"))
        monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
        assert "in region RegionTwo|" in harness.backend().scope()
        assert harness.backend().health().ok
        count = len(proxy.requests)
        assert count
        regions = "regions: [RegionOne, RegionTwo]"
        clouds.write_text(text.replace('region_name: "RegionOne"', regions))
        assert "in region RegionTwo|" in harness.backend(region="RegionTwo").scope()
        with pytest.raises(InvalidInput, match="Valid choices are RegionOne,RegionTwo"):
            harness.backend(region="Three").scope()

        _set_environment(harness, monkeypatch, "RegionTwo")
        backend = FreezerBackend({"container": harness.top})
        assert backend.check().ok
        assert "in region RegionTwo|" in backend.scope()
        assert len(proxy.requests) > count
        _set_environment(harness, monkeypatch, "Three")
        with pytest.raises(
            InvalidInput, match="'Three': it has one in: RegionOne, RegionTwo; name"
        ):
            FreezerBackend({}).scope()


def _set_environment(harness: FreezerHarness, monkeypatch: pytest.MonkeyPatch, region: str) -> None:
    """Give the credentials by ``OS_*`` alone."""
    account = harness.sandbox.accounts["demo"]
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(harness.folder / "none.yaml"))
    for name, value in {
        "AUTH_URL": harness.sandbox.auth_url,
        "USERNAME": account.user,
        "PASSWORD": account.password,
        "PROJECT_NAME": account.project,
        "USER_DOMAIN_ID": "default",
        "PROJECT_DOMAIN_ID": "default",
        "REGION_NAME": region,
    }.items():
        monkeypatch.setenv(f"OS_{name}", value)
