"""Schedules as the configuration file says them."""

from datetime import timedelta
from pathlib import Path

import pytest

from karbor_backup_core import InvalidDocument, Resource, Verb
from karbor_backup_core.configuration import load_configuration
from karbor_backup_scale.schedules.section import load_schedules
from tests.pages.blocks import Block

WHOLE = """
[backends.lab]
use = "fake"
[schedules.nightly]
cron = "30 2 * * 1-5"
timezone = "Europe/Berlin"
backend = "lab"
deadline = "6h"
jitter = 600
start_within = "2h"
[[schedules.nightly.resources]]
type = "volume"
id = "volume-1"
name = "db"
options = {backup_name = "nightly"}
[[schedules.nightly.resources]]
type = "server"
id = "server-1"
"""

LEAST = """
[schedules.hourly]
cron = "0 * * * *"
[[schedules.hourly.resources]]
type = "volume"
id = "volume-1"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_schedule_is_read_whole(file: Path) -> None:
    file.write_text(WHOLE)
    (nightly,) = load_schedules(load_configuration(file)).values()
    assert (nightly.name, nightly.cron, nightly.backend) == ("nightly", "30 2 * * 1-5", "lab")
    assert nightly.timezone.key == "Europe/Berlin"
    assert (nightly.deadline, nightly.jitter, nightly.start_within) == (
        timedelta(hours=6),
        timedelta(minutes=10),
        timedelta(hours=2),
    )
    volume, server = nightly.targets
    assert volume.resource == Resource("volume", "volume-1", "db")
    assert volume.options == {"backup_name": "nightly"}
    assert server.resource == Resource("server", "server-1")


def test_schedule_of_maintenance_is_read(file: Path) -> None:
    file.write_text(
        '[schedules.weekly]\ncron = "0 4 * * 0"\nverb = "maintain"\n'
        'actions = [{action = "prune"}, {action = "check", options = {read_percent = 5}}]\n'
    )
    (weekly,) = load_schedules(load_configuration(file)).values()
    assert weekly.verb is Verb.MAINTAIN
    prune, check = weekly.targets
    assert prune.resource == Resource("prune", "")
    assert (check.resource.type, check.options) == ("check", {"read_percent": 5})


@pytest.mark.parametrize("again", ["prune", "check"])
def test_action_that_is_named_twice_is_refused(file: Path, again: str) -> None:
    file.write_text(
        '[schedules.weekly]\ncron = "0 4 * * 0"\nverb = "maintain"\n'
        f'actions = [{{action = "{again}"}}, {{action = "{again}"}}]\n'
    )
    with pytest.raises(InvalidDocument, match=f"actions: {again} is named twice"):
        load_schedules(load_configuration(file))


def test_page_is_a_configuration(file: Path, marked_blocks: list[Block]) -> None:
    (block,) = marked_blocks
    file.write_text(block.text)
    schedules = load_schedules(load_configuration(file))
    nightly = schedules["nightly"]
    assert (nightly.backend, nightly.start_within) == ("site", timedelta(hours=2))
    assert [each.verb for each in schedules.values()] == [
        Verb.PROTECT,
        Verb.VERIFY,
        Verb.MAINTAIN,
    ]


def test_schedule_has_defaults(file: Path) -> None:
    file.write_text(LEAST)
    (hourly,) = load_schedules(load_configuration(file)).values()
    assert hourly.timezone.key == "UTC"
    assert (hourly.backend, hourly.deadline, hourly.jitter) == ("", None, timedelta(0))
    assert hourly.start_within == timedelta(hours=1)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('cron = "0 * * * *"', "", "$.schedules.hourly"),
        ('cron = "0 * * * *"', 'cron = "hourly"', "$.schedules.hourly.cron"),
        ("cron =", 'timezone = "Mars/Olympus"\ncron =', "'Mars/Olympus' is no time zone"),
        ("cron =", 'timezone = "../../etc/passwd"\ncron =', "'../../etc/passwd' is no time zone"),
        ("cron =", 'jitter = "soon"\ncron =', "$.schedules.hourly.jitter: 'soon' is no duration"),
        ("cron =", 'pace = "fast"\ncron =', "pace"),
        ("cron =", 'backend = "x"\ncron =', "there is no section [backends.x]"),
        ("cron =", 'verb = "delete"\ncron =', "verb"),
        ("cron =", 'verb = "maintain"\ncron =', "hourly.actions: missing: name what to maintain"),
        ("cron =", 'verb = "maintain"\ncron =', "hourly.resources: a schedule that is to maintain"),
        ("cron =", 'actions = [{action = "prune"}]\ncron =', "hourly.actions: a schedule that is"),
        (
            'id = "volume-1"',
            'id = "a"\n[[schedules.hourly.resources]]\ntype = "volume"\nid = "a"',
            "$.schedules.hourly.resources: volume a is named twice",
        ),
    ],
)
def test_faulty_schedule_is_refused_with_its_place(
    file: Path, old: str, new: str, fault: str
) -> None:
    assert old in LEAST
    file.write_text(LEAST.replace(old, new) + '[backends.lab]\nuse = "fake"\n')
    with pytest.raises(InvalidDocument) as caught:
        load_schedules(load_configuration(file))
    assert fault in "\n".join(caught.value.faults)


def test_schedule_without_resources_is_refused(file: Path) -> None:
    file.write_text('[schedules.hourly]\ncron = "0 * * * *"\nresources = []\n')
    with pytest.raises(InvalidDocument, match="resources"):
        load_configuration(file)
