"""The configuration with which `karbor-backup` works on a sandbox."""

import json

from sandbox.accounts import write_secret
from sandbox.layout import Layout

VARIABLE = "KARBOR_BACKUP_CONFIG"


def write_configuration(layout: Layout) -> None:
    """Write the instance's `config.toml`: its store and a storage are in the instance's folder.

    The cloud is not named in it: `OS_CLOUD` or `--os-cloud` chooses.
    """
    store, storage = f"sqlite:///{layout.home / 'operations.sqlite'}", str(layout.storage)
    write_secret(
        layout.config_toml,
        f"""\
default_backend = "freezer"

[store]
url = {_toml_string(store)}

[backends.freezer.storages.disk]
kind = "local"
path = {_toml_string(storage)}
""",
    )


def _toml_string(value: str) -> str:
    """Write a string of TOML, whose escapes are those of JSON."""
    return json.dumps(value, ensure_ascii=False)
