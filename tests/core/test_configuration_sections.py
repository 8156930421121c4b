"""Sections of the configuration that other distributions add."""

from pathlib import Path

import pytest

from karbor_backup_core import InvalidDocument
from karbor_backup_core.configuration import load_configuration


def test_section_of_another_distribution_is_checked_and_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = {
        "type": "object",
        "properties": {"key": {"type": "string", "writeOnly": True}, "size": {"type": "integer"}},
    }
    (tmp_path / "section_of_a_test.py").write_text(f"SCHEMA = {schema!r}")
    info = tmp_path / "section-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: section\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[karbor_backup.configuration_sections]\nextra = section_of_a_test:SCHEMA\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    path = tmp_path / "config.toml"
    path.write_text('[extra]\nkey = "canary"\nsize = 3\n')
    section = load_configuration(path).sections["extra"]
    assert section["size"] == 3
    assert section["key"].reveal() == "canary"
    path.write_text("[extra]\nsize = true\n[other]\n")
    with pytest.raises(InvalidDocument) as refused:
        load_configuration(path)
    assert len(refused.value.faults) == 2
    assert "extra.size" in str(refused.value.faults)
    assert "other" in str(refused.value.faults)
