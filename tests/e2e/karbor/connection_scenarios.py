"""Run in Karbor's environment: what a provider's file says of connections, before real servers."""

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from karbor.common import config  # noqa: F401 - registers where Keystone is
from karbor.services.protection.client_factory import ClientFactory
from keystoneauth1 import session
from oslo_config import cfg

from karbor_backup_core import InvalidInput, KarborBackupError
from karbor_glue._credentials import TrustCredentials, UserCredentials, choose_freezer_credentials
from karbor_glue._settings import read_freezer_settings

FACTS = json.loads(os.environ.get("CONNECTIONS_TEST", "{}"))
TRUSTED = "cafile = {server}\ncertfile = {certfile}\nkeyfile = {keyfile}\n"


def conf(folder: Path, lines: str, **facts: str) -> Any:
    """Return a provider's configuration."""
    file = folder / "provider.conf"
    file.write_text(f"[freezer_protection_plugin]\n{lines.format(**FACTS | facts)}\n")
    read = cfg.ConfigOpts()
    read(args=[f"--config-file={file}"])
    return read


def account(folder: Path, lines: str, **facts: str) -> Any:
    """Return the configuration with an account behind TLS."""
    known = (
        "auth_type = v3password\nauth_url = {auth_url}\nusername = demo\npassword = {demo}\n"
        "project_name = demo\nuser_domain_id = default\nproject_domain_id = default\n"
        "freezer_endpoint = {freezer}\nstorage = local\ncontainer = /srv\n"
    )
    return conf(folder, known + lines, **facts)


def request_scope(read: Any) -> str:
    """Ask Keystone for a token and the catalog, and Freezer for its versions."""
    settings = read_freezer_settings(read)
    chosen = choose_freezer_credentials(read, None)
    backend = settings.load_backend(**chosen.open(None, settings.policy.deadline))
    scope = str(backend.scope())
    health = backend.health()
    assert health.ok, health
    return scope


def test_cafile_and_certfile_reach_keystone_and_freezer(tmp_path: Path) -> None:
    assert request_scope(account(tmp_path, TRUSTED))


def test_insecure_reaches_keystone_and_freezer(tmp_path: Path) -> None:
    assert request_scope(account(tmp_path, "insecure = true\n" + TRUSTED.partition("\n")[2]))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("certfile = {certfile}\nkeyfile = {keyfile}\n", "certificate verify failed"),
        ("cafile = {server}\n", "TLS connection failed"),
    ],
)
def test_without_the_certificates_the_connection_fails(
    tmp_path: Path, lines: str, reason: str
) -> None:
    with pytest.raises(KarborBackupError, match=reason):
        request_scope(account(tmp_path, lines))


def test_timeout_applies_to_keystone(tmp_path: Path) -> None:
    read = account(tmp_path, TRUSTED + "timeout = 1\n", auth_url=FACTS["silent"])
    with pytest.raises(KarborBackupError, match="1 s"):
        request_scope(read)


@pytest.mark.parametrize(
    ("lines", "verify"), [(TRUSTED, FACTS.get("server")), ("insecure = true\n" + TRUSTED, False)]
)
def test_connection_options_apply_to_the_users_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, verify: object
) -> None:
    karbors = mock.Mock()
    karbors.create_trust_session.return_value = session.Session()
    monkeypatch.setattr(ClientFactory, "get_keystone_plugin", lambda: karbors)
    read = conf(tmp_path, lines + "timeout = 7\n")
    opened = TrustCredentials("trust", read).open(None, timedelta(hours=1))["session"]
    assert opened.verify == verify
    assert opened.cert == (FACTS["certfile"], FACTS["keyfile"])
    assert opened.timeout == 7


@pytest.mark.parametrize(
    "line",
    ["timeout = 7", "insecure = true", "cafile = /ca", "certfile = /crt", "keyfile = /key"],
)
def test_credentials_with_other_connection_options_have_another_key(
    tmp_path: Path, line: str
) -> None:
    context = mock.Mock(user_id="user", project_id="project")

    def keys(lines: str) -> list[str]:
        read = conf(tmp_path, lines)
        return [UserCredentials(context, read).key, TrustCredentials("trust", read).key]

    assert keys("") == keys("poll_interval = 7")
    assert not set(keys("")) & set(keys(line))


@pytest.mark.parametrize("line", ["cafile = /ca", "insecure = true", "certfile = /crt"])
def test_connection_options_beside_a_cloud_are_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(InvalidInput, match=f"{line.split(maxsplit=1)[0]} in .*clouds.yaml"):
        read_freezer_settings(conf(tmp_path, f"cloud = demo\n{line}\n"))
