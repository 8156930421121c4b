"""What cannot be fetched is named, with what to do about it."""

import pytest

from sandbox.debian_packages import unpack_packages
from sandbox.errors import MissingProgramError
from sandbox.instance import report_nothing
from sandbox.layout import Project


def test_without_apt_get_the_error_names_the_packages(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(
        MissingProgramError,
        match=r"openssh-server is missing.*Debian: apt-get install openssh-server",
    ):
        unpack_packages(project, ["openssh-server"], report_nothing)


def test_failed_unpacking_is_repeated(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")

    for _ in range(2):
        with pytest.raises(MissingProgramError):
            unpack_packages(project, ["openssh-server"], report_nothing)
