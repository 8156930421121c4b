"""A place to make something with servers that is kept when they are gone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox import watchdog
from sandbox.environments import Report
from sandbox.instance import Instance
from sandbox.layout import Project
from sandbox.processes import ProcessId


@contextmanager
def temporary_instance(project: Project, name: str, report: Report) -> Iterator[Instance]:
    """Yield an instance without servers, and take it down; it does not outlive this process.

    The caller holds the project's lock, without which others would take it for a crash's remains.

    Args:
        project: the checkout.
        name: the instance's.
        report: is told what is being done in it.
    """
    instance = Instance(project, project.instance(name), report)
    instance.take_down()
    try:
        instance.layout.make()
        watched = ProcessId.of(os.getpid())
        instance.launch(watchdog.service(project, instance.layout, watched))
        yield instance
    finally:
        instance.take_down()
