"""What a provider's file says: the options of Karbor's own Freezer plugin, and ours."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from oslo_config import cfg, generator

from karbor_backup_core import InvalidInput
from karbor_glue import options
from karbor_glue._credentials import Credentials, DefaultCredentials, UserCredentials
from karbor_glue._settings import Settings, read_backend_settings, read_freezer_settings
from karbor_glue.plugin import CinderProtectionPlugin


def freezer_settings(folder: Path, lines: str) -> Settings:
    return read_freezer_settings(_load_conf(folder, f"[freezer_protection_plugin]\n{lines}"))


def _load_conf(folder: Path, text: str) -> cfg.ConfigOpts:
    file = folder / "provider.conf"
    file.write_text(text)
    conf = cfg.ConfigOpts()
    conf(args=[f"--config-file={file}"])
    return conf


def test_defaults_of_the_old_plugin_are_accepted(tmp_path: Path) -> None:
    settings = freezer_settings(tmp_path, "")
    assert settings.configuration["storage"] == "swift"
    assert settings.configuration["container"] == "karbor"
    assert settings.policy.poll_limit.total_seconds() == 20
    assert settings.load_backend().info.name == "freezer"


def test_ssh_options_of_the_old_plugin_are_accepted(tmp_path: Path) -> None:
    settings = freezer_settings(
        tmp_path,
        "poll_interval = 5\nscheduler_client_id = node1\nstorage = ssh\ncontainer = /srv/backups\n"
        "ssh_key = /etc/freezer/key\nssh_username = backup\nssh_host = far\nssh_port = 2222\n",
    )
    assert settings.configuration["scheduler"] == "node1"
    assert settings.configuration["storages"]["ssh"] == {
        "kind": "ssh",
        "host": "far",
        "port": 2222,
        "username": "backup",
        "key": "/etc/freezer/key",
        "path": "/srv/backups",
    }
    assert settings.policy.poll_limit.total_seconds() == 5
    assert settings.load_backend().info.name == "freezer"


def test_s3_options_of_the_old_plugin_are_accepted_and_secret(tmp_path: Path) -> None:
    settings = freezer_settings(
        tmp_path,
        "storage = s3\nendpoint = http://127.0.0.1\naccess_key = canary-a\nsecret_key = canary-b\n",
    )
    storage = settings.configuration["storages"]["s3"]
    assert (storage["access_key"], storage["secret_key"]) == ("canary-a", "canary-b")
    assert "canary" not in repr(settings)
    assert settings.load_backend().info.name == "freezer"
    secret = {each.name for each in options.FREEZER_OPTIONS if each.secret}
    assert secret == {"access_key", "secret_key"}


def test_a_storage_on_a_path_needs_a_path(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="absolute path"):
        freezer_settings(tmp_path, "storage = local\n")


def test_a_file_names_several_storages(tmp_path: Path) -> None:
    file = tmp_path / "freezer.toml"
    file.write_text(
        'storage = "a"\n[storages.a]\nkind = "local"\npath = "/a"\n'
        '[storages.b]\nkind = "local"\npath = "/b"\n'
    )
    settings = freezer_settings(tmp_path, f"configuration_file = {file}\n")
    assert set(settings.configuration["storages"]) == {"a", "b"}
    assert settings.load_backend().info.name == "freezer"


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no-such-file"):
        freezer_settings(tmp_path, "configuration_file = /no-such-file\n")


def test_provider_without_a_backend_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="names no backend"):
        read_backend_settings(_load_conf(tmp_path, ""))


@pytest.mark.parametrize(
    ("configuration", "keystone_is_on", "expected"),
    [
        ("", True, UserCredentials),
        ('cloud = "production"', True, DefaultCredentials),
        ("", False, DefaultCredentials),
        ("not TOML", True, DefaultCredentials),
    ],
)
def test_cinder_works_with_the_users_credentials_unless_a_cloud_is_named(
    tmp_path: Path,
    configuration: str,
    expected: type[Credentials],
    *,
    keystone_is_on: bool,
) -> None:
    file = tmp_path / "cinder.toml"
    file.write_text(configuration)
    conf = _load_conf(tmp_path, f"[karbor_backup_plugin]\nconfiguration_file = {file}\n")
    context = SimpleNamespace(
        auth_token_info={"token": {}} if keystone_is_on else None, user_id="u1", project_id="p1"
    )
    assert type(CinderProtectionPlugin(conf).credentials(context)) is expected


def test_equal_settings_share_a_runner(tmp_path: Path) -> None:
    one, same = freezer_settings(tmp_path, ""), freezer_settings(tmp_path, "")
    other = freezer_settings(tmp_path, "container = other\n")
    assert one == same
    assert hash(one) == hash(same)
    assert one != other


def test_the_sample_generator_lists_all_options(tmp_path: Path) -> None:
    sample = tmp_path / "sample.conf"
    generator.main(["--namespace", "karbor_glue", "--output-file", str(sample)])
    text = sample.read_text()
    for group, listed in options.list_opts():
        assert f"[{group}]" in text
        for each in listed:
            assert f"#{each.dest} =" in text


def test_the_documentation_lists_all_options_and_no_others() -> None:
    text = (Path(__file__).parents[3] / "docs" / "reference" / "karbor.md").read_text()
    section = text.partition("## The provider's file")[2].partition("## Parameters")[0]
    listed = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    known = {each.dest for each in (*options.BACKEND_OPTIONS, *options.FREEZER_OPTIONS)}
    assert sorted(listed) == sorted(known)
