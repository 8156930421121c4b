"""Which directories a tenant can have protected, through Karbor's REST API on a real Freezer."""

from pathlib import Path

import pytest

from tests.e2e.karbor.karbor_client import KarborClient
from tests.e2e.karbor.test_freezer import DIRECTORY, KarborFreezerHarness, harness

__all__ = ["harness"]


def protect_refused(harness: KarborFreezerHarness, resource: dict[str, object]) -> str:
    """Protect a resource that must be refused; return the reason that its user is told."""
    plan = harness.karbor.plan(harness.provider, [resource])
    checkpoint = harness.karbor.protect(harness.provider, plan)
    assert harness.karbor.wait_until_settled(harness.provider, checkpoint) == "error"
    assert harness.list_freezer_entries() == []
    reason = KarborClient(harness.karbor).operation_log(checkpoint)["error_info"]
    assert harness.karbor.delete(harness.provider, checkpoint) == "deleted"
    return reason


def test_a_path_outside_the_allowed_directories_is_refused(harness: KarborFreezerHarness) -> None:
    secret = harness.folder.parent / "secret"
    secret.mkdir()
    inside = harness.make_tree("first", b"one")
    (inside / "link").symlink_to(secret)
    paths = [
        str(secret),
        f"{inside}/../../secret",
        f"{inside}/link",
        f"/{inside}",
        "/",
        f"{harness.folder}-beside",
    ]
    for number, path in enumerate(paths):
        named = {"id": f"a-directory-{number}", "type": DIRECTORY, "name": "x"}
        reason = protect_refused(harness, {**named, "extra_info": {"path": path}})
        assert repr(path) in reason
    reason = protect_refused(harness, {"id": "relative", "type": DIRECTORY, "name": "x"})
    assert "'relative'" in reason


def test_a_path_under_another_type_is_refused(harness: KarborFreezerHarness) -> None:
    volume = {"id": "a-volume", "type": "OS::Cinder::Volume", "name": "x"}
    reason = protect_refused(harness, {**volume, "extra_info": {"path": "/etc"}})
    assert "not among those that this provider's operator has allowed" in reason


@pytest.mark.parametrize("line", ["", "directories = relative", "directories = /"])
def test_a_provider_without_a_valid_list_protects_no_directory(
    harness: KarborFreezerHarness, line: str
) -> None:
    inside = harness.make_tree("first", b"one")
    file = harness.karbor.folder / "providers.d" / "freezer.conf"
    text = file.read_text()
    file.write_text(text.replace(f"directories = {harness.folder}", line))
    harness.karbor.stop()
    harness.karbor.start()
    named = {"id": "a-directory", "type": DIRECTORY, "name": "x"}
    assert "directories" in protect_refused(harness, {**named, "extra_info": {"path": str(inside)}})


def test_directory_removed_from_the_list_is_not_restored(harness: KarborFreezerHarness) -> None:
    karbor, provider = harness.karbor, harness.provider
    tree = harness.make_tree("first", b"one")
    checkpoint = harness.protect("first")
    assert karbor.wait_until_settled(provider, checkpoint) == "available"
    file: Path = karbor.folder / "providers.d" / "freezer.conf"
    file.write_text(
        file.read_text().replace(f"directories = {harness.folder}", "directories = /srv")
    )
    karbor.stop()
    karbor.start()
    (tree / "sub" / "file").unlink()
    restored = karbor.restore(provider, checkpoint)
    assert restored["status"] == "fail"
    (reason,) = restored["resources_reason"].values()
    assert str(tree) in reason
    assert karbor.delete(provider, checkpoint) == "deleted"
