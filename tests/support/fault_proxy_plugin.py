"""Pytest's fixture `fault_proxy`: ``pytest_plugins = ["tests.support.fault_proxy_plugin"]``.

It is used with ``sandbox.pytest_plugin``, whose Freezer API the proxy stands before.
"""

from collections.abc import Iterator

import pytest

from sandbox import Sandbox
from sandbox.pytest_plugin import FAILED
from tests.support.fault_proxy import FaultProxy


@pytest.fixture
def fault_proxy(sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[FaultProxy]:
    """Return a proxy of the Freezer API's.

    A test fails too when a fault that it planned never struck, since it has not shown anything
    then; a test that looks for the last request to spoil calls `clear` first.
    """
    with FaultProxy(sandbox.freezer_url) as proxy:
        yield proxy
        unfired = proxy.unfired()
        if unfired and not request.node.stash.get(FAILED, False):
            pytest.fail(f"These planned faults never struck: {unfired}")
