"""A workshop is gone when the work is done, however it ends."""

import pytest

from sandbox import watchdog
from sandbox.instance import Instance, report_nothing
from sandbox.layout import Project
from sandbox.temporary_instance import temporary_instance


def test_it_is_gone_when_the_work_is_done(project: Project) -> None:
    with temporary_instance(project, "work", report_nothing) as room:
        assert room.layout.data.exists()
        assert watchdog.NAME in room.servers()

    assert not room.layout.home.exists()
    assert not room.servers()


def test_it_is_gone_when_the_work_fails(project: Project) -> None:
    with pytest.raises(ZeroDivisionError), temporary_instance(project, "work", report_nothing):
        raise ZeroDivisionError

    assert not project.instance("work").home.exists()


def test_to_others_it_looks_abandoned(project: Project) -> None:
    """So that one is taken down whose maker was killed together with its watchdog."""
    with temporary_instance(project, "work", report_nothing) as room:
        assert Instance(project, room.layout).is_abandoned
