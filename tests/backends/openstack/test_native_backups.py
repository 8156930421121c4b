"""What Cinder says of its own backups, and their removal: real requests, told answers."""

import json
from typing import Any

import pytest

from karbor_backup_core import BackendError, Leftover, Transient
from karbor_backup_openstack.native_backups import (
    LEFTOVER_KIND,
    NativeBackup,
    NativeBackupClient,
    NativeBackupState,
    NativeRemovalStatus,
)
from tests.backends.openstack.stub_cloud import StubCloud
from tests.support import http_faults
from tests.support.http_faults import HttpFault, HttpResponse


@pytest.fixture
def client(stub_cloud: StubCloud) -> NativeBackupClient:
    return NativeBackupClient(stub_cloud.services)


def backup_document(status: str = "available", id_: str = "b", **more: Any) -> dict[str, Any]:
    return {"id": id_, "status": status, "size": 2, "volume_id": "v", "name": "n_op", **more}


def respond(stub_cloud: StubCloud, status: str, **more: Any) -> None:
    stub_cloud.add_response("/backups/b$", {"backup": backup_document(status, **more)})


def respond_once(stub_cloud: StubCloud, status: str) -> None:
    content = json.dumps({"backup": backup_document(status)}).encode()
    answer = HttpResponse(200, (("Content-Type", "application/json"),), content)
    fault = HttpFault(f"says {status} once", answer=answer)
    stub_cloud.proxy.plan(fault, method="GET", path="/backups/b$")


def respond_to_delete(stub_cloud: StubCloud, status: int = 202, body: bytes = b"") -> None:
    answer = HttpResponse(status, (("Content-Type", "application/json"),), body)
    fault = HttpFault("answers a DELETE", answer=answer)
    stub_cloud.proxy.plan(fault, times=None, method="DELETE", path="/backups/b$")


def deleted_paths(stub_cloud: StubCloud) -> list[str]:
    return [r.path for r in stub_cloud.proxy.requests if r.method == "DELETE"]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("creating", NativeBackupState.RUNNING),
        ("a state of Cinder 40", NativeBackupState.RUNNING),
        ("available", NativeBackupState.AVAILABLE),
        ("restoring", NativeBackupState.AVAILABLE),
        ("deleting", NativeBackupState.DELETING),
        ("error", NativeBackupState.FAILED),
        ("error_deleting", NativeBackupState.FAILED),
    ],
)
def test_backup_state_follows_cinders_status(
    stub_cloud: StubCloud, client: NativeBackupClient, status: str, expected: NativeBackupState
) -> None:
    respond(stub_cloud, status)
    state = client.get_backup("b")
    assert (state.state, state.size) == (expected, 2 * 2**30)
    assert bool(state.reason) == (
        expected in (NativeBackupState.FAILED, NativeBackupState.DELETING)
    )


def test_failure_quotes_cinder_on_one_line(
    stub_cloud: StubCloud, client: NativeBackupClient
) -> None:
    respond(stub_cloud, "error", fail_reason="no space\n  left")
    assert client.get_backup("b").reason == "Cinder's backup b failed: no space left"


def test_backup_unknown_to_cinder_is_gone(client: NativeBackupClient) -> None:
    assert client.get_backup("b") == NativeBackup(id="b", reason="Cinder has no backup b")
    assert client.get_backup("b").state is NativeBackupState.GONE
    assert client.remove_backups({"b": "v"}, "op") == NativeRemovalStatus()


def test_many_backups_cost_one_request_and_one_for_each_missing(
    stub_cloud: StubCloud, client: NativeBackupClient
) -> None:
    listed = [backup_document(id_=id_) for id_ in ("a", "c", "of somebody else")]
    stub_cloud.add_response("/backups/detail$", {"backups": listed})
    respond(stub_cloud, "creating")
    states = client.get_backups(["a", "b", "c"])
    states_by_id = {id_: state.state for id_, state in states.items()}
    assert states_by_id == {
        "a": NativeBackupState.AVAILABLE,
        "b": NativeBackupState.RUNNING,
        "c": NativeBackupState.AVAILABLE,
    }
    asked = [r.path for r in stub_cloud.proxy.requests if "/backups" in r.path]
    assert len(asked) == 2


def test_search_by_name_returns_exact_matches_only(
    stub_cloud: StubCloud, client: NativeBackupClient
) -> None:
    # Cinder may take a name for a pattern, and an administrator may forbid the filters.
    listed = [
        backup_document(id_="a"),
        backup_document(id_="b", name="n2"),
        backup_document(id_="c", volume_id="w"),
    ]
    stub_cloud.add_response("/backups/detail", {"backups": listed})
    assert client.find_by_name("n_op", "v") == ("a",)


def test_deletion_of_a_backup_is_requested_once(
    stub_cloud: StubCloud, client: NativeBackupClient
) -> None:
    respond_to_delete(stub_cloud)
    respond_once(stub_cloud, "available")
    respond(stub_cloud, "deleting")
    assert [left.id for left in client.remove_backups({"b": "v"}, "op").pending] == ["b"]
    assert [left.id for left in client.remove_backups({"b": "v"}, "op").pending] == ["b"]
    assert len(deleted_paths(stub_cloud)) == 1


def test_backup_in_creation_is_pending(stub_cloud: StubCloud, client: NativeBackupClient) -> None:
    respond(stub_cloud, "creating")
    waiting = Leftover(LEFTOVER_KIND, "b", "Cinder calls it 'creating'")
    assert client.remove_backups({"b": "v"}, "op") == NativeRemovalStatus(pending=(waiting,))
    assert not deleted_paths(stub_cloud)


def test_leftover_that_cinder_refuses_to_delete_quotes_cinder(
    stub_cloud: StubCloud, client: NativeBackupClient
) -> None:
    error = {"badRequest": {"code": 400, "message": "Incremental backups exist"}}
    respond_to_delete(stub_cloud, 400, json.dumps(error).encode())
    respond(stub_cloud, "available")
    (stuck,) = client.remove_backups({"b": "v"}, "op").leftovers
    assert "Incremental backups exist" in stuck.note


def test_refused_deletion_of_a_backup_in_deletion_is_pending(
    stub_cloud: StubCloud, client: NativeBackupClient
) -> None:
    respond_to_delete(stub_cloud, 400)
    respond_once(stub_cloud, "available")
    respond(stub_cloud, "deleting")
    removal = client.remove_backups({"b": "v"}, "op")
    assert removal.pending
    assert not removal.leftovers


def test_backup_with_a_failed_deletion_is_left_to_an_administrator(
    stub_cloud: StubCloud, client: NativeBackupClient
) -> None:
    respond(stub_cloud, "error_deleting", fail_reason="the share is gone")
    (stuck,) = client.remove_backups({"b": "v"}, "op").leftovers
    assert "the share is gone; an administrator can" in stuck.note
    assert not deleted_paths(stub_cloud)


@pytest.mark.parametrize(("status", "error"), [(503, Transient), (403, BackendError)])
def test_error_status_is_raised(
    stub_cloud: StubCloud, client: NativeBackupClient, status: int, error: type[Exception]
) -> None:
    stub_cloud.proxy.plan(http_faults.error_response(status), times=None, path="/backups/b$")
    with pytest.raises(error):
        client.get_backup("b")


@pytest.mark.parametrize("strange", [{"name": "nightly"}, {"name": ""}, {"volume_id": "w"}])
def test_backup_not_provably_of_the_operation_is_a_leftover(
    stub_cloud: StubCloud, client: NativeBackupClient, strange: dict[str, str]
) -> None:
    respond_to_delete(stub_cloud)
    respond(stub_cloud, "available", **strange)
    (stuck,) = client.remove_backups({"b": "v"}, "op").leftovers
    assert "not provably" in stuck.note
    assert not deleted_paths(stub_cloud)


def test_backups_of_one_name_are_found_by_their_volumes(
    client: NativeBackupClient, stub_cloud: StubCloud
) -> None:
    listed = [
        backup_document(id_="a", volume_id="v"),
        backup_document(id_="b", volume_id="w"),
        backup_document(id_="c", volume_id="w", name="n_op_"),
    ]
    stub_cloud.add_response("/backups/detail$", {"backups": listed})
    assert client.find_all_by_name("n_op") == {"v": ("a",), "w": ("b",)}
