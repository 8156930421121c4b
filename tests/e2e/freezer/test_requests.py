"""How many requests an operation costs, and over how many connections."""

from collections import Counter
from typing import Any

from karbor_backup_core import Verb


def _sent(proxy: Any) -> Counter[str]:
    """The requests by method and collection, without the polls."""
    sent = Counter(f"{r.method} {r.path.split('/')[3]}" for r in proxy.requests)
    del sent["GET jobs"]
    proxy.clear()
    return sent


def test_operations_send_no_more_than_they_need(spotless: Any, do: Any, fault_proxy: Any) -> None:
    runner = spotless.runner(endpoint=fault_proxy.url)
    tree = spotless.tree()
    backup = do.protect(runner, tree)
    assert _sent(fault_proxy) == {
        "GET clients": 1,
        "POST jobs": 1,
        "GET backups": 1,
        "DELETE actions": 1,
        "DELETE jobs": 1,
    }
    do.succeeded(do.run(runner, Verb.VERIFY, backup))
    assert _sent(fault_proxy) == {"GET backups": 1}
    options = {"restore_name": "data", "overwrite": True}
    do.succeeded(do.run(runner, Verb.RESTORE, backup, options))
    assert _sent(fault_proxy) == {"POST jobs": 1, "DELETE actions": 1, "DELETE jobs": 1}
    do.succeeded(do.run(runner, Verb.DELETE, backup))
    assert _sent(fault_proxy) == {
        "POST jobs": 1,
        "DELETE backups": 1,
        "DELETE actions": 1,
        "DELETE jobs": 1,
    }
    assert fault_proxy.connections <= 3
