"""Old operations are purged when a person says so, and their backups are not."""

from tests.cli.command_runner import CommandRunner


def test_old_operation_is_purged_and_its_backup_is_kept(
    command: CommandRunner,
) -> None:
    backup_id = command.protect()
    assert command("purge", "--older-than", "1h").stdout == "operations purged: 0\n"
    assert command.json("purge", "--older-than", "0.001s") == {"purged": 1}
    assert command.json("operations", "--all")["operations"] == []
    assert [each["id"] for each in command.json("list")["backups"]] == [backup_id]


def test_purge_needs_an_age(command: CommandRunner) -> None:
    assert "--older-than" in command("purge").stderr
    for wrong, says in {
        "yesterday": "is no duration",
        "999999d": "is longer than 36500 days",
    }.items():
        refused = command("purge", "--older-than", wrong)
        assert refused.exit_code == 2
        assert says in refused.stderr
