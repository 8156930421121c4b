"""Run in Karbor's environment: with Keystone on, jobs outlive the token of the user who asked."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from harness import TYPES, KarborHarness
from karbor import context as karbor_context
from karbor.common import config  # noqa: F401 - registers where Keystone is
from karbor.services.protection import client_factory
from keystoneauth1 import identity, session
from oslo_config import cfg

from karbor_glue._credentials import TrustCredentials, UserCredentials
from karbor_glue._trusts import MARGIN, TrustRegistry, delete_abandoned_trusts

LIFETIME = timedelta(hours=1)
FACTS = json.loads(os.environ.get("TRUSTS_TEST", "{}"))


@pytest.fixture
def user() -> session.Session:
    """Return a user of the cloud, with a token of their own."""
    auth = identity.V3Password(
        auth_url=FACTS["auth_url"],
        username="demo",
        password=FACTS["demo"],
        project_name="demo",
        user_domain_id="default",
        project_domain_id="default",
    )
    return session.Session(auth=auth)


@pytest.fixture(autouse=True)
def _trustee() -> Iterator[None]:
    """Karbor's own account, as its configuration names it."""
    client_factory.ClientFactory._keystone_plugin = None
    lines = f"""\
[trustee]
auth_type = password
auth_url = {FACTS["auth_url"]}
username = karbor
password = {FACTS["karbor"]}
user_domain_id = default
[clients_keystone]
auth_uri = {FACTS["auth_url"]}
"""
    file = Path("trustee.conf")
    file.write_text(lines)
    cfg.CONF([], project="karbor", default_config_files=[str(file.resolve())])
    yield
    cfg.CONF.reset()


@pytest.fixture
def bank(make_harness: Any) -> Any:
    """Karbor's bank of a provider."""
    conf = [str(Path("trustee.conf").resolve())]
    return make_harness("karbor-freezer-protection-plugin", karbor_conf=conf).provider.bank


def request_context(user: session.Session) -> Any:
    """Return a request's context, as Karbor's middleware makes it of a token."""
    auth: Any = user.auth
    access = auth.get_access(user)
    return karbor_context.RequestContext(
        user_id=access.user_id,
        project_id=access.project_id,
        auth_token=access.auth_token,
        auth_token_info=access._data,
        roles=access.role_names,
        is_admin=False,
    )


def list_trust_ids(user: session.Session) -> list[str]:
    """Return the ids of the trusts that the user has given."""
    return [each["id"] for each in list_trusts(user)]


def list_trusts(user: session.Session) -> list[Any]:
    """Return what Keystone lists of the trusts that the user has given."""
    mine = f"{FACTS['auth_url']}/OS-TRUST/trusts?trustor_user_id={user.get_user_id()}"
    return list(user.get(mine).json()["trusts"])


def test_a_trust_outlives_the_token_and_is_deleted_at_the_end(
    user: session.Session, bank: Any
) -> None:
    credentials = UserCredentials(request_context(user))
    lent = credentials.open(bank, LIFETIME)["session"]
    assert list_trust_ids(user) == [credentials.trust]
    assert credentials.notes() == {"trust": credentials.trust}
    (note,) = TrustRegistry(bank).read_all()
    assert note.trust == credentials.trust
    user.delete(f"{FACTS['auth_url']}/auth/tokens", headers={"X-Subject-Token": user.get_token()})
    user.invalidate()
    first = lent.get_token()
    lent.invalidate()
    assert lent.get_token() != first
    assert lent.get_project_id() == user.get_project_id()
    credentials.close(needed=False)
    assert list_trust_ids(user) == []
    assert list(TrustRegistry(bank).read_all()) == []


def test_a_trust_expires_by_itself(user: session.Session, bank: Any) -> None:
    before = datetime.now(UTC)
    credentials = UserCredentials(request_context(user))
    credentials.open(bank, LIFETIME)
    (trust,) = list_trusts(user)
    expires = datetime.fromisoformat(trust["expires_at"])
    shortest = LIFETIME + MARGIN - timedelta(seconds=1)  # Keystone drops the fraction
    assert before + shortest <= expires <= datetime.now(UTC) + LIFETIME + 2 * MARGIN
    credentials.close(needed=False)


def test_trust_that_is_still_needed_is_kept_for_another_process(
    user: session.Session, bank: Any
) -> None:
    credentials = UserCredentials(request_context(user))
    credentials.open(bank, LIFETIME)
    credentials.close(needed=True)
    assert delete_abandoned_trusts(TrustRegistry(bank), {credentials.trust}) == []
    recovered = TrustCredentials(credentials.trust)
    assert recovered.open(bank, LIFETIME)["session"].get_project_id() == user.get_project_id()
    assert delete_abandoned_trusts(TrustRegistry(bank), ()) == []
    assert list_trust_ids(user) == []
    assert list(TrustRegistry(bank).read_all()) == []


@pytest.mark.parametrize("when", ["before the request", "after the request"])
def test_kill_during_the_creation_of_a_trust_leaves_none(
    user: session.Session, bank: Any, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    others = UserCredentials(request_context(user))
    others.open(bank, LIFETIME)
    write = TrustRegistry.write
    if when == "before the request":
        monkeypatch.setattr(session.Session, "post", _raise_killed)
    else:
        monkeypatch.setattr(
            TrustRegistry,
            "write",
            lambda self, note: _raise_killed() if note.trust else write(self, note),
        )
    credentials = UserCredentials(request_context(user))
    with pytest.raises(SystemExit):
        credentials.open(bank, LIFETIME)
    monkeypatch.undo()
    assert len(list_trust_ids(user)) == (1 if when == "before the request" else 2)
    assert delete_abandoned_trusts(TrustRegistry(bank), {others.trust}) == []
    assert list_trust_ids(user) == [others.trust], "the one that is needed is left"
    others.close(needed=False)
    assert list(TrustRegistry(bank).read_all()) == []


def _raise_killed(*_: Any, **__: Any) -> None:
    raise SystemExit


def test_request_authenticated_by_a_trust_needs_no_new_one(
    user: session.Session, bank: Any
) -> None:
    scheduled = UserCredentials(request_context(user))
    by_trust = scheduled.open(bank, LIFETIME)["session"]
    credentials = UserCredentials(request_context(by_trust))
    opened = credentials.open(bank, LIFETIME)["session"]
    assert opened.get_project_id() == user.get_project_id()
    assert credentials.notes() == {}
    credentials.close(needed=False)
    scheduled.close(needed=False)
    assert list(TrustRegistry(bank).read_all()) == []


def test_a_directory_is_protected_with_the_credentials_of_the_user(
    user: session.Session,
    make_harness: Any,
    tmp_path: Path,
) -> None:
    harness: KarborHarness = make_harness(
        "karbor-freezer-protection-plugin",
        karbor_conf=[str(Path("trustee.conf").resolve())],
        freezer_protection_plugin=f"storage = local\ncontainer = {FACTS['storage']}\n"
        f"scheduler_client_id = node1\npoll_interval = 1\ndirectories = {tmp_path}",
    )
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file").write_bytes(b"bytes")
    harness.context = request_context(user)
    TYPES["tree"] = "Freezer::FileSystem::Directory"
    harness.extra = {"tree-1": {"path": str(tree)}}
    done = harness.protect("tree-1")
    assert (done.status, done.error) == ("available", "")
    assert list_trust_ids(user) == []
    assert harness.delete(done).status == "deleted"
    assert list_trust_ids(user) == []


def test_account_of_the_provider_file_takes_precedence(
    user: session.Session, make_harness: Any, tmp_path: Path
) -> None:
    harness: KarborHarness = make_harness(
        "karbor-freezer-protection-plugin",
        karbor_conf=[str(Path("trustee.conf").resolve())],
        freezer_protection_plugin=f"storage = local\ncontainer = {FACTS['storage']}\n"
        f"scheduler_client_id = node1\npoll_interval = 1\ndirectories = {tmp_path}\n"
        f"auth_type = password\nauth_url = {FACTS['auth_url']}\nusername = demo\n"
        f"password = {FACTS['demo']}\nproject_name = demo\n"
        "user_domain_id = default\nproject_domain_id = default",
    )
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file").write_bytes(b"bytes")
    TYPES["tree"] = "Freezer::FileSystem::Directory"
    harness.extra = {"tree-1": {"path": str(tree)}}
    done = harness.protect("tree-1")
    assert (done.status, done.error) == ("available", "")
    assert list_trust_ids(user) == []
    assert harness.delete(done).status == "deleted"
    written = [path.read_bytes() for path in harness.bank.rglob("*") if path.is_file()]
    assert not any(FACTS["demo"].encode() in each for each in written)
