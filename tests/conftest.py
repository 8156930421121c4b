"""What all tests share: the sandbox's fixtures, signals as in a shell, and time limits."""

import os
import signal
from collections.abc import Iterable
from typing import Final

import hypothesis
import pytest

pytest_plugins = [
    "sandbox.pytest_plugin",
    "tests.support.fault_proxy_plugin",
    "tests.support.wheels",
    "tests.support.disks",
    "tests.support.restic_plugin",
    "tests.pages.plugin",
]

# A machine that is busy with servers makes an example slow, not wrong.
hypothesis.settings.register_profile("unhurried", deadline=None)
hypothesis.settings.load_profile("unhurried")

# A shell that runs the tests in the background has them ignore Ctrl-C, and so would every program
# that they start: the tests of what Ctrl-C does would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGQUIT) is signal.SIG_IGN:
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


CONTRACT_TIMEOUT: Final = 1800
"""Seconds for a test that tries rules of the contract: one may drive a hundred lives of a backend
in real processes or before a real API."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give tests of the contract's rules a time limit that only a hang reaches."""
    if item.get_closest_marker("timeout") is None and (
        item.path.name == "test_mutants.py" or item.name.startswith("test_rule[")
    ):
        item.add_marker(pytest.mark.timeout(CONTRACT_TIMEOUT))


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """Leave out, with a line that says so, what only root can run."""
    if os.geteuid() == 0:
        return
    for item in items:
        if item.get_closest_marker("root") is not None:
            item.add_marker(pytest.mark.skip(reason="needs root: run it with make test-root"))
