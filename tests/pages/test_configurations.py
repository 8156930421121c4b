"""The configurations that the pages show are read by the code that users' own are read by."""

from pathlib import Path

import pytest

from karbor_backup_core.configuration import load_configuration
from karbor_backup_core.configured_backends import ConfiguredBackends
from tests.pages.blocks import Block

_SECRETS = {"S3_ACCESS_KEY": "access", "FTP_PASSWORD": "password"}
_FILES = ("/etc/karbor-backup/documents.key", "/etc/karbor-backup/s3-secret")


def test_configuration_is_read_and_makes_its_backends(
    marked_blocks: list[Block], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in _SECRETS.items():
        monkeypatch.setenv(name, value)
    for number, block in enumerate(marked_blocks):
        text = block.text
        for path in _FILES:
            own = tmp_path / Path(path).name
            own.write_text("0123456789abcdef" * 2)
            text = text.replace(path, str(own))
        file = tmp_path / f"{number}.toml"
        file.write_text(text)
        read = load_configuration(file)
        assert read.backends, str(block)
        configured = ConfiguredBackends(read)
        loaded = {configured.load(name).info.name for name in read.backends}
        assert loaded in ({"freezer"}, {"restic"}, {"cinder"})
