"""Schedules, as a person has them done by workers."""

from pathlib import Path
from typing import Any, Final

import pytest

from tests.scale.harness import wait_until
from tests.scale.shell import PROGRAM, Shell, run_workers

# Its last tick is new year's, so that it is due once, whenever the test runs.
YEARLY: Final = """
[schedules.yearly]
cron = "0 0 1 1 *"
start_within = "400d"
[[schedules.yearly.resources]]
type = "volume"
id = "volume-1"
name = "db"
"""


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def list_schedules(shell: Shell) -> Any:
    return shell.json("schedules")["schedules"]


def test_tick_is_begun_once_by_two_workers(shell: Shell, url: str) -> None:
    shell.configure(url, YEARLY)
    (before,) = list_schedules(shell)
    assert before["last"] is None
    with run_workers([PROGRAM, "worker"], shell.environ, 2):
        wait_until(lambda: list_schedules(shell)[0]["last"] not in (None, before))
        wait_until(lambda: list_schedules(shell)[0]["last"]["status"] == "succeeded")
    (after,) = list_schedules(shell)
    (operation,) = shell.json("operations", "--all")["operations"]
    assert after["last"]["operation"] == operation["id"]
    assert operation["resource"]["name"] == "db"
    assert after["next"] == before["next"]


VERIFY_AND_MAINTAIN: Final = """
[schedules.check]
cron = "0 0 1 1 *"
start_within = "400d"
verb = "verify"
resources = [{type = "volume", id = "volume-1"}]
[schedules.clean]
cron = "0 0 1 1 *"
start_within = "400d"
verb = "maintain"
actions = [{action = "prune"}]
"""


def test_backup_is_verified_and_the_backend_maintained(shell: Shell, url: str) -> None:
    shell.configure(url, YEARLY + VERIFY_AND_MAINTAIN)
    # The fake's copies are in the process that made them: one worker.
    with run_workers([PROGRAM, "worker"], shell.environ, 1):
        wait_until(
            lambda: all(
                each["last"] and each["last"]["status"] == "succeeded"
                for each in list_schedules(shell)
            )
        )
    done = shell.json("operations", "--all")["operations"]
    assert sorted(each["verb"] for each in done) == ["maintain", "protect", "verify"]
    (protect,) = (each for each in done if each["verb"] == "protect")
    (verify,) = (each for each in done if each["verb"] == "verify")
    assert verify["backup"]["id"] == protect["id"]


def test_schedules_are_shown_in_a_table(shell: Shell, url: str) -> None:
    shell.configure(url, YEARLY)
    done = shell.run("schedules")
    assert done.returncode == 0, done.stderr
    assert "0 0 1 1 * UTC" in done.stdout
    assert "not run" in done.stdout
    shell.configure(url)
    assert shell.run("schedules").stdout == "no schedules\n"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0 0 1 1 *", "0 0 31 2 *", "schedules.yearly.cron: '0 0 31 2 *' is no cron expression"),
        ('"volume"', '"tape"', "schedule yearly: tape volume-1: backend mine has no type 'tape'"),
        ('name = "db"', "options = {backup_nam = 1}", "schedule yearly: volume volume-1: "),
        ('"volume"', '"image"', "it is covered by another resource"),
    ],
)
@pytest.mark.parametrize("command", ["worker", "schedules"])
def test_schedule_that_cannot_be_begun_is_refused(
    shell: Shell, url: str, command: str, old: str, new: str, message: str
) -> None:
    assert old in YEARLY
    shell.configure(url, YEARLY.replace(old, new))
    done = shell.run(command)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
