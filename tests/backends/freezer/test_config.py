"""The configuration: what fits, what is said of what does not, and secrets out of sight."""

from typing import Any

import pytest

from karbor_backup_core import Backend, InvalidDocument, InvalidInput
from karbor_backup_core.secrets import wrap_secrets
from karbor_backup_freezer import FreezerBackend
from karbor_backup_freezer.config import CONFIG_SCHEMA, Configuration

STORAGES: dict[str, dict[str, Any]] = {
    "local": {"kind": "local", "path": "/srv"},
    "swift": {"kind": "swift"},
    "s3": {"kind": "s3", "endpoint": "http://s3", "access_key": "AKIA0", "secret_key": "s3cr3t"},
    "ssh": {"kind": "ssh", "host": "h", "username": "u", "key": "/k", "path": "/srv", "port": 2222},
    "ftp": {"kind": "ftp", "host": "h", "username": "u", "password": "passw0rd", "path": "/srv"},
    "ftps": {"kind": "ftps", "host": "h", "username": "u", "password": "passw0rd", "path": "/srv"},
}


def _load(configuration: dict[str, Any]) -> Backend:
    return Backend.load("freezer", FreezerBackend, configuration)


def test_empty_configuration_is_valid() -> None:
    assert _load({}).info.name == "freezer"


@pytest.mark.parametrize("kind", STORAGES)
def test_each_storage_kind_accepts_its_options(kind: str) -> None:
    _load({"storages": {"it": STORAGES[kind]}})


@pytest.mark.parametrize("kind", [k for k in STORAGES if k != "swift"])
def test_each_storage_kind_requires_its_options(kind: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        _load({"storages": {"it": {"kind": kind}}})
    text = str(caught.value)
    assert all(option in text for option in STORAGES[kind] if option not in ("kind", "port"))


@pytest.mark.parametrize(
    ("storage", "named"),
    [
        ({"kind": "local", "path": "/srv", "host": "h"}, "host"),
        ({"kind": "local", "path": "srv"}, "srv"),
        ({"kind": "tape"}, "tape"),
        ({"path": "/srv"}, "kind"),
        ({"kind": "swift", "colour": "red"}, "colour"),
    ],
)
def test_invalid_storage_option_is_named(storage: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidDocument, match=named):
        _load({"storages": {"it": storage}})


@pytest.mark.parametrize(
    "configuration",
    [{"timeout": 0}, {"container": "a/b"}, {"interface": "private"}, {"contaner": "x"}],
)
def test_invalid_configuration_is_refused(configuration: dict[str, Any]) -> None:
    with pytest.raises(InvalidDocument):
        _load(configuration)


def test_unknown_default_storage_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'fast' is not configured"):
        _load({"storage": "fast", "storages": {"slow": STORAGES["local"]}})


def test_the_only_storage_is_the_default_one() -> None:
    assert Configuration.from_document({"storages": {"it": STORAGES["local"]}}).storage == "it"
    two = {"storages": {"it": STORAGES["local"], "other": STORAGES["swift"]}}
    with pytest.raises(InvalidInput, match="there are: it, other"):
        Configuration.from_document(two).choose_storage(None)


@pytest.mark.parametrize("kind", ["s3", "ftp", "ftps"])
def test_no_secret_is_shown(kind: str) -> None:
    wrapped = wrap_secrets(CONFIG_SCHEMA, {"storages": {"it": STORAGES[kind]}})
    configuration = Configuration.from_document(wrapped)
    shown = f"{configuration!r} {configuration.storages['it']} {wrapped}"
    assert "s3cr3t" not in shown
    assert "AKIA0" not in shown
    assert "passw0rd" not in shown
    assert configuration.storages["it"].has_secrets
