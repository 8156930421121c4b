"""The other side of ``_other_process``: makes each call of a hook in a process of its own.

It is started as a program, with the number of the descriptor that it talks by.
"""

import importlib
import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from karbor_backup_contract._other_process import Answer, Request, Setup
from karbor_backup_contract._process import call_plugin_hook
from karbor_backup_contract._sudden_death import KillAtEffect
from karbor_backup_core import BackendError


def main() -> None:
    """Make calls until nobody asks for any more."""
    connection = Connection(int(sys.argv[1]))
    setup: Setup = connection.recv()
    sys.path[:] = setup.path
    module, _, function = setup.factory.function.partition(":")
    make = getattr(importlib.import_module(module), function)
    while True:
        try:
            request: Request = connection.recv()
        except EOFError:
            return
        child = os.fork()
        if child == 0:
            _send(connection, _call(lambda: make(**setup.factory.arguments), request))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if status:
            connection.send(Answer(died=True))


def _call(make: Callable[[], Any], request: Request) -> Answer:
    try:
        plugin = make()
        with KillAtEffect(request.dies_at):
            return Answer(call_plugin_hook(plugin, request.hook, **request.arguments))
    except Exception as error:  # noqa: BLE001 - whatever a backend raises is its answer
        return Answer(error=error)


def _send(connection: Connection, answer: Answer) -> None:
    """Send an answer; an exception that is no data is told in words."""
    try:
        connection.send(answer)
    except Exception:  # noqa: BLE001 - an exception of the backend may hold anything
        words = f"{type(answer.error).__name__}: {answer.error}"
        connection.send(Answer(error=BackendError(words)))


if __name__ == "__main__":
    main()
