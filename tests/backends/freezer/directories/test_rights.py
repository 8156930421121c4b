"""What the user of a scheduler cannot bring back."""

import socket

import attrs
import pytest
from pytest_mock import MockerFixture

from karbor_backup_freezer.directories import rights
from karbor_backup_freezer.directories.programs import Program
from karbor_backup_freezer.directories.rights import rights_checks

HERE = socket.gethostname()
ORDINARY = Program(
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
def test_an_ordinary_user_loses_owners_and_what_its_umask_takes(
    mocker: MockerFixture, changes: dict[str, int | None], names: list[str]
) -> None:
    program = attrs.evolve(ORDINARY, **changes)  # type: ignore[arg-type]  # of several attributes
    mocker.patch.object(rights, "find_programs", return_value=[program])
    checks = rights_checks("one", HERE)
    assert [check.name for check in checks] == names
    assert not any(check.verified for check in checks)


def test_of_another_host_nothing_is_known() -> None:
    (check,) = rights_checks("one", "elsewhere")
    assert "not visible from here" in check.reason
