"""A user's password is changed in the real Keystone while an operation of that user's runs."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

from karbor_backup_core import MemoryStore, Operation, Resource, Result, Runner, State
from sandbox import Sandbox
from sandbox.accounts import Account, write_clouds_yaml
from tests.e2e.freezer.harness import FreezerHarness
from tests.support import http_faults
from tests.support.fault_proxy import FaultProxy
from tests.support.outcomes import get_outcome
from tests.support.schedulers import silent_scheduler

DIRECTORY = "Freezer::FileSystem::Directory"
TIMEOUT = 300.0


@attrs.define
class User:
    """A user of its own in the project of ``demo``, as Keystone's administrator sees it."""

    sandbox: Sandbox
    account: Account
    id: str = ""

    @property
    def _url(self) -> str:
        return f"{self.sandbox.auth_url}/users/{self.id}"

    def create(self) -> None:
        """Create it, with the role of a member."""
        admin, url = self.sandbox.session("admin"), self.sandbox.auth_url
        user = {"name": self.account.user, "password": self.account.password}
        answer = admin.post(f"{url}/users", json={"user": {**user, "domain_id": "default"}})
        self.id = answer.json()["user"]["id"]
        (project,) = admin.get(f"{url}/projects?name={self.account.project}").json()["projects"]
        (role,) = admin.get(f"{url}/roles?name={self.account.role}").json()["roles"]
        admin.put(f"{url}/projects/{project['id']}/users/{self.id}/roles/{role['id']}")

    def set_password(self, password: str) -> None:
        """Change its password, which revokes its tokens."""
        self.sandbox.session("admin").patch(self._url, json={"user": {"password": password}})

    def remove(self) -> None:
        """Remove it."""
        self.sandbox.session("admin").delete(self._url)


@pytest.fixture
def keystone(sandbox: Sandbox) -> Iterator[FaultProxy]:
    """Yield a proxy before Keystone that records each login."""
    with FaultProxy(sandbox.auth_url.removesuffix("/v3")) as proxy:
        yield proxy


@pytest.fixture
def user(
    harness: FreezerHarness, keystone: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[User]:
    user = User(harness.sandbox, Account(harness.top, "demo", "member"))
    user.create()
    path = tmp_path / "clouds.yaml"
    write_clouds_yaml(path, [user.account], f"{keystone.url}/v3")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    yield user
    user.remove()


@pytest.fixture
def unheard(harness: FreezerHarness, user: User) -> Iterator[str]:
    """Yield a registered scheduler that takes up no job, so that the operation is polled."""
    with silent_scheduler(harness.client(user.account.user), harness.top) as client_id:
        yield client_id


def test_operation_continues_when_the_password_is_correct_again(
    harness: FreezerHarness,
    user: User,
    unheard: str,
    keystone: FaultProxy,
    fault_proxy: FaultProxy,
) -> None:
    store, policy = (
        MemoryStore(),
        attrs.evolve(harness.runner_policy, refusal_first=timedelta(hours=1)),
    )
    polled, refused = threading.Event(), threading.Event()

    def watch(operation: Operation) -> None:
        if operation.state is State.RUNNING:
            polled.set()
        if "refuses the credentials" in operation.retry.last_error:
            refused.set()

    def backend() -> Any:
        more = {"cloud": user.account.user, "scheduler": unheard}
        return harness.backend(endpoint=fault_proxy.url, **more)

    target = Resource(DIRECTORY, str(harness.tree()))
    with Runner(store, {"freezer": backend()}, policy=policy, on_change=watch) as first:
        begun = first.protect("freezer", target, {"backup_name": "nightly"})
        assert polled.wait(TIMEOUT)
        user.set_password("changed-meanwhile")
        before = len(keystone.requests)
        # Freezer's API believes a token for some minutes more; this is what it says then.
        fault_proxy.plan(http_faults.error_response(401))
        assert refused.wait(TIMEOUT)
    waiting = store.operation(begun.id)
    assert waiting.state is State.RUNNING
    assert "Keystone refuses the credentials" in waiting.retry.last_error
    assert user.account.password not in waiting.retry.last_error
    logins = [r for r in keystone.requests[before:] if r.path.endswith("/auth/tokens")]
    assert len(logins) == 1

    user.set_password(user.account.password)
    # A token of the same second as the change is revoked with those before it, so that the first
    # requests may be refused once more, the cancel among them.
    policy = attrs.evolve(harness.runner_policy, refusal_first=timedelta(seconds=1))
    with Runner(store, {"freezer": backend()}, policy=policy) as second:
        second.resume(begun.id)
        second.cancel(begun.id)
        ended = second.wait(begun.id, TIMEOUT)
    assert ended.state is State.RELEASED
    assert get_outcome(ended).result is Result.CANCELLED
    assert get_outcome(ended).leftovers == ()
    assert harness.left_in_freezer(user.account.user) == {"jobs": [], "actions": [], "backups": []}
