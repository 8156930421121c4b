"""What cannot be fetched is named, with what to do about it."""

import pytest

from sandbox.debian import unpacked
from sandbox.errors import MissingProgramError
from sandbox.instance import silent
from sandbox.layout import Project


def test_without_apt_get_it_says_what_to_install(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")

    with pytest.raises(
        MissingProgramError,
        match=r"openssh-server is missing.*Debian: apt-get install openssh-server",
    ):
        unpacked(project, ["openssh-server"], silent)


def test_a_failed_attempt_does_not_count_as_unpacked(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")

    for _ in range(2):
        with pytest.raises(MissingProgramError):
            unpacked(project, ["openssh-server"], silent)
