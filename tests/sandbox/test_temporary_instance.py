"""A temporary instance is removed after its use, however that ends."""

import pytest

from sandbox import watchdog
from sandbox.instance import Instance, report_nothing
from sandbox.layout import Project
from sandbox.temporary_instance import temporary_instance


def test_instance_is_removed_after_success(project: Project) -> None:
    with temporary_instance(project, "work", report_nothing) as room:
        assert room.layout.data.exists()
        assert watchdog.NAME in room.servers()

    assert not room.layout.home.exists()
    assert not room.servers()


def test_instance_is_removed_after_a_failure(project: Project) -> None:
    with pytest.raises(ZeroDivisionError), temporary_instance(project, "work", report_nothing):
        raise ZeroDivisionError

    assert not project.instance("work").home.exists()


def test_instance_counts_as_abandoned_for_other_processes(project: Project) -> None:
    """So that one is taken down whose maker was killed together with its watchdog."""
    with temporary_instance(project, "work", report_nothing) as room:
        assert Instance(project, room.layout).is_abandoned
