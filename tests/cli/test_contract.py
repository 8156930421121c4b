"""``karbor-backup contract``: the contract on a configured backend."""

import json
from pathlib import Path

import pytest

from karbor_backup_fake import FakeBackend
from tests.cli.command_runner import CommandRunner

OPEN = {"additionalProperties": True}


def test_a_configured_backend_is_proved_and_its_service_left_as_it_was(
    command: CommandRunner, tmp_path: Path
) -> None:
    before = dict(command.cloud.inventory.assets)
    result = command("contract", "mine", "--report", str(tmp_path / "out"))
    assert result.exit_code == 0, result.stdout
    assert "fake" in result.stdout
    assert "conformant to contract 1.1" in result.stdout
    assert "rules tried (" in result.stdout
    assert "skipped C-411, C-412: the harness has no backend_factory" in result.stdout
    assert command.cloud.inventory.assets == before
    assert command.cloud.copies() == []
    assert command.cloud.jobs() == []
    (report,) = json.loads((tmp_path / "out" / "conformance.json").read_text())
    assert report["conformant"] is True
    skipped = [rule for reason in report["skipped"] for rule in reason["rules"]]
    assert report["tried"] == len(report["rules"]) - len(skipped)
    assert {"C-411", "C-412"} <= set(skipped)
    assert not any(rule.startswith("C-24") for rule in skipped), "what is copied is its own"
    assert (tmp_path / "out" / "conformance.html").exists()


def test_broken_rule_is_reported_and_fails_the_command(
    command: CommandRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeBackend, "CONFIG_SCHEMA", {**FakeBackend.CONFIG_SCHEMA, **OPEN})
    result = command("contract", "mine", "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["conformant"] is False
    assert [r["id"] for r in report["rules"] if r["status"] == "failed"] == ["C-103"]


def test_backend_without_harness_error_names_what_is_missing(
    command: CommandRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(FakeBackend, "contract_harness")
    result = command("contract", "mine")
    assert result.exit_code == 2
    assert "contract_harness" in result.stderr


def test_an_unknown_backend_is_wrong_input(command: CommandRunner) -> None:
    assert command("contract", "yours").exit_code == 2


def test_a_page_that_cannot_be_written_is_refused_before_anything_is_tried(
    command: CommandRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    result = command("contract", "mine", "--report", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert "pip install '.[contract]'" in result.stderr
    assert not command.cloud.requests
