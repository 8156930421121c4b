"""Run in Karbor's environment: with Keystone on, jobs outlive the token of the user who asked."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bench import TYPES, Bench
from karbor import context as karbor_context
from karbor.common import config  # noqa: F401 - registers where Keystone is
from karbor.services.protection import client_factory
from keystoneauth1 import identity, session
from oslo_config import cfg

from karbor_glue.credentials import TrustCredentials, UserCredentials
from karbor_glue.trusts import MARGIN, TrustNotes, delete_abandoned_trusts

LIFETIME = timedelta(hours=1)
FACTS = json.loads(os.environ.get("TRUSTS_TEST", "{}"))


@pytest.fixture
def user() -> session.Session:
    """A user of the cloud, with a token of their own."""
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
def bank(make_bench: Any) -> Any:
    """Karbor's bank of a provider."""
    conf = [str(Path("trustee.conf").resolve())]
    return make_bench("karbor-freezer-protection-plugin", karbor_conf=conf).provider.bank


def context_of(user: session.Session) -> Any:
    """A request's context, as Karbor's middleware makes it of a token."""
    access = user.auth.get_access(user)
    return karbor_context.RequestContext(
        user_id=access.user_id,
        project_id=access.project_id,
        auth_token=access.auth_token,
        auth_token_info=access._data,
        roles=access.role_names,
        is_admin=False,
    )


def trusts(user: session.Session) -> list[str]:
    """Return the ids of the trusts that the user has given."""
    return [each["id"] for each in listed(user)]


def listed(user: session.Session) -> list[Any]:
    """What Keystone lists of the trusts that the user has given."""
    mine = f"{FACTS['auth_url']}/OS-TRUST/trusts?trustor_user_id={user.get_user_id()}"
    return list(user.get(mine).json()["trusts"])


def test_a_trust_outlives_the_token_and_is_deleted_at_the_end(
    user: session.Session, bank: Any
) -> None:
    credentials = UserCredentials(context_of(user))
    lent = credentials.open(bank, LIFETIME)["session"]
    assert trusts(user) == [credentials.trust]
    assert credentials.notes() == {"trust": credentials.trust}
    (note,) = TrustNotes(bank).all()
    assert note.trust == credentials.trust
    user.delete(f"{FACTS['auth_url']}/auth/tokens", headers={"X-Subject-Token": user.get_token()})
    user.invalidate()
    first = lent.get_token()
    lent.invalidate()
    assert lent.get_token() != first
    assert lent.get_project_id() == user.get_project_id()
    credentials.close(needed=False)
    assert trusts(user) == []
    assert list(TrustNotes(bank).all()) == []


def test_a_trust_expires_by_itself(user: session.Session, bank: Any) -> None:
    before = datetime.now(UTC)
    credentials = UserCredentials(context_of(user))
    credentials.open(bank, LIFETIME)
    (trust,) = listed(user)
    expires = datetime.fromisoformat(trust["expires_at"])
    shortest = LIFETIME + MARGIN - timedelta(seconds=1)  # Keystone drops the fraction
    assert before + shortest <= expires <= datetime.now(UTC) + LIFETIME + 2 * MARGIN
    credentials.close(needed=False)


def test_a_trust_that_is_still_needed_is_left_for_another_process(
    user: session.Session, bank: Any
) -> None:
    credentials = UserCredentials(context_of(user))
    credentials.open(bank, LIFETIME)
    credentials.close(needed=True)
    assert delete_abandoned_trusts(TrustNotes(bank), {credentials.trust}) == []
    found = TrustCredentials(credentials.trust)
    assert found.open(bank, LIFETIME)["session"].get_project_id() == user.get_project_id()
    assert delete_abandoned_trusts(TrustNotes(bank), ()) == []
    assert trusts(user) == []
    assert list(TrustNotes(bank).all()) == []


@pytest.mark.parametrize("when", ["before the request", "after the request"])
def test_a_kill_while_a_trust_is_made_leaves_none(
    user: session.Session, bank: Any, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    others = UserCredentials(context_of(user))
    others.open(bank, LIFETIME)
    write = TrustNotes.write
    if when == "before the request":
        monkeypatch.setattr(session.Session, "post", _killed)
    else:
        monkeypatch.setattr(
            TrustNotes, "write", lambda self, note: _killed() if note.trust else write(self, note)
        )
    credentials = UserCredentials(context_of(user))
    with pytest.raises(SystemExit):
        credentials.open(bank, LIFETIME)
    monkeypatch.undo()
    assert len(trusts(user)) == (1 if when == "before the request" else 2)
    assert delete_abandoned_trusts(TrustNotes(bank), {others.trust}) == []
    assert trusts(user) == [others.trust], "the one that is needed is left"
    others.close(needed=False)
    assert list(TrustNotes(bank).all()) == []


def _killed(*_: Any, **__: Any) -> None:
    raise SystemExit


def test_a_request_that_came_by_a_trust_is_served_all_the_same(
    user: session.Session, bank: Any
) -> None:
    scheduled = UserCredentials(context_of(user))
    by_trust = scheduled.open(bank, LIFETIME)["session"]
    credentials = UserCredentials(context_of(by_trust))
    opened = credentials.open(bank, LIFETIME)["session"]
    assert opened.get_project_id() == user.get_project_id()
    assert credentials.notes() == {}
    credentials.close(needed=False)
    scheduled.close(needed=False)
    assert list(TrustNotes(bank).all()) == []


def test_a_directory_is_protected_with_the_credentials_of_the_user(
    user: session.Session,
    make_bench: Any,
    tmp_path: Path,
) -> None:
    bench: Bench = make_bench(
        "karbor-freezer-protection-plugin",
        karbor_conf=[str(Path("trustee.conf").resolve())],
        freezer_protection_plugin=f"storage = local\ncontainer = {FACTS['storage']}\n"
        f"scheduler_client_id = node1\npoll_interval = 1\ndirectories = {tmp_path}",
    )
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "file").write_bytes(b"bytes")
    bench.context = context_of(user)
    TYPES["tree"] = "Freezer::FileSystem::Directory"
    bench.extra = {"tree-1": {"path": str(tree)}}
    done = bench.protect("tree-1")
    assert (done.status, done.error) == ("available", "")
    assert trusts(user) == []
    assert bench.delete(done).status == "deleted"
    assert trusts(user) == []


def test_the_account_in_the_provider_s_file_goes_first(
    user: session.Session, make_bench: Any, tmp_path: Path
) -> None:
    bench: Bench = make_bench(
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
    bench.extra = {"tree-1": {"path": str(tree)}}
    done = bench.protect("tree-1")
    assert (done.status, done.error) == ("available", "")
    assert trusts(user) == []
    assert bench.delete(done).status == "deleted"
    written = [path.read_bytes() for path in bench.bank.rglob("*") if path.is_file()]
    assert not any(FACTS["demo"].encode() in each for each in written)
