"""What the user of a scheduler cannot bring back."""

import socket

import attrs
import pytest
from pytest_mock import MockerFixture

from karbor_backup_freezer.directories import ownership
from karbor_backup_freezer.directories.ownership import ownership_checks
from karbor_backup_freezer.directories.processes import FreezerProcess

HERE = socket.gethostname()
ORDINARY = FreezerProcess(
    name="freezer-scheduler",
    script="freezer-scheduler",
    uid=54321,
    gid=54321,
    groups=frozenset(),
    umask=0o077,
    home="/home/f",
    directory="/",
    temporary="",
    configuration="",
    client_id="one",
    jobs_dir="",
)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({}, ["owners", "modes"]),
        ({"umask": 0}, ["owners"]),
        ({"umask": None}, ["owners", "modes"]),
        ({"uid": 0}, []),
    ],
)
def test_unprivileged_user_loses_owners_and_the_bits_of_its_umask(
    mocker: MockerFixture, changes: dict[str, int | None], names: list[str]
) -> None:
    program = attrs.evolve(ORDINARY, **changes)  # type: ignore[arg-type]  # of several attributes
    mocker.patch.object(ownership, "find_processes", return_value=[program])
    checks = ownership_checks("one", HERE)
    assert [check.name for check in checks] == names
    assert not any(check.verified for check in checks)


def test_losses_on_another_host_are_unknown() -> None:
    (check,) = ownership_checks("one", "elsewhere")
    assert "not visible from here" in check.reason
