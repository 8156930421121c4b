"""Which directories a tenant can have protected, through Karbor's REST API on a real Freezer."""

from pathlib import Path

import pytest

from tests.e2e.karbor.client import KarborClient
from tests.e2e.karbor.test_freezer import DIRECTORY, Bench, bench

__all__ = ["bench"]


def refused(bench: Bench, resource: dict[str, object]) -> str:
    """Protect a resource that must be refused; return the reason that its user is told."""
    plan = bench.karbor.plan(bench.provider, [resource])
    checkpoint = bench.karbor.protect(bench.provider, plan)
    assert bench.karbor.settled(bench.provider, checkpoint) == "error"
    assert bench.left_in_freezer() == []
    reason = KarborClient(bench.karbor).operation_log(checkpoint)["error_info"]
    assert bench.karbor.delete(bench.provider, checkpoint) == "deleted"
    return reason


def test_a_path_outside_the_allowed_directories_is_refused(bench: Bench) -> None:
    secret = bench.folder.parent / "secret"
    secret.mkdir()
    inside = bench.tree("first", b"one")
    (inside / "link").symlink_to(secret)
    paths = [
        str(secret),
        f"{inside}/../../secret",
        f"{inside}/link",
        f"/{inside}",
        "/",
        f"{bench.folder}-beside",
    ]
    for number, path in enumerate(paths):
        named = {"id": f"a-directory-{number}", "type": DIRECTORY, "name": "x"}
        reason = refused(bench, {**named, "extra_info": {"path": path}})
        assert repr(path) in reason
    reason = refused(bench, {"id": "relative", "type": DIRECTORY, "name": "x"})
    assert "'relative'" in reason


def test_a_path_under_another_type_is_refused(bench: Bench) -> None:
    volume = {"id": "a-volume", "type": "OS::Cinder::Volume", "name": "x"}
    reason = refused(bench, {**volume, "extra_info": {"path": "/etc"}})
    assert "not among those that this provider's operator has allowed" in reason


@pytest.mark.parametrize("line", ["", "directories = relative", "directories = /"])
def test_a_provider_without_a_valid_list_protects_no_directory(bench: Bench, line: str) -> None:
    inside = bench.tree("first", b"one")
    file = bench.karbor.folder / "providers.d" / "freezer.conf"
    text = file.read_text()
    file.write_text(text.replace(f"directories = {bench.folder}", line))
    bench.karbor.stop()
    bench.karbor.start()
    named = {"id": "a-directory", "type": DIRECTORY, "name": "x"}
    assert "directories" in refused(bench, {**named, "extra_info": {"path": str(inside)}})


def test_what_the_list_no_longer_allows_is_not_restored(bench: Bench) -> None:
    karbor, provider = bench.karbor, bench.provider
    tree = bench.tree("first", b"one")
    checkpoint = bench.protect("first")
    assert karbor.settled(provider, checkpoint) == "available"
    file: Path = karbor.folder / "providers.d" / "freezer.conf"
    file.write_text(file.read_text().replace(f"directories = {bench.folder}", "directories = /srv"))
    karbor.stop()
    karbor.start()
    (tree / "sub" / "file").unlink()
    restored = karbor.restore(provider, checkpoint)
    assert restored["status"] == "fail"
    (reason,) = restored["resources_reason"].values()
    assert str(tree) in reason
    assert karbor.delete(provider, checkpoint) == "deleted"
