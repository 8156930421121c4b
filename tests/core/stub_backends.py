"""Backends small enough to read beside the test that uses them."""

from collections.abc import Mapping, Sequence
from typing import Any

from karbor_backup_core import (
    Ability,
    BackendInfo,
    Health,
    Operation,
    Progress,
    ProgressState,
    Support,
    Verb,
)
from karbor_backup_core.hookspecs import hookimpl

VOLUME = "OS::Cinder::Volume"
IMAGE = "OS::Glance::Image"
SUCCEEDED = Progress(ProgressState.SUCCEEDED)
RUNNING = Progress(ProgressState.RUNNING)
PROTECTED = Progress(ProgressState.SUCCEEDED, handle={"id": 1})

INFO = BackendInfo(
    name="small",
    version="1",
    contract="1.0",
    abilities={
        VOLUME: {
            Verb.PROTECT: Ability(
                Support.SUPPORTED, {"properties": {"backup_name": {"type": "string"}}}
            ),
            Verb.VERIFY: Ability(Support.UNSUPPORTED, reason="nobody wrote it"),
        },
        IMAGE: {Verb.PROTECT: Ability(Support.COVERED, covered_by="the server that uses it")},
    },
)


class StubBackend:
    """Does nothing, successfully."""

    CONFIG_SCHEMA: Mapping[str, Any] = {
        "properties": {
            "endpoint": {"type": "string"},
            "password": {"type": "string", "writeOnly": True},
        }
    }

    def __init__(self, configuration: Mapping[str, Any] | None = None) -> None:
        self.configuration = configuration or {}

    @hookimpl
    def describe(self) -> Any:
        return INFO

    @hookimpl
    def scope(self) -> Any:
        return "somewhere"

    @hookimpl
    def check(self) -> Any:
        return Health(ok=True, summary="fine")

    @hookimpl
    def protect(self) -> Any:
        return PROTECTED

    @hookimpl
    def restore(self) -> Any:
        return SUCCEEDED

    @hookimpl
    def delete(self) -> Any:
        return SUCCEEDED

    @hookimpl
    def verify(self) -> Any:
        return SUCCEEDED

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Any:
        return {operation.id: RUNNING for operation in operations}

    @hookimpl
    def cancel(self) -> Any:
        return True

    @hookimpl
    def release(self) -> Any:
        return SUCCEEDED


class ScriptedBackend(StubBackend):
    """Answers to every verb, release and cancel what it is given, or raises it."""

    def __init__(self, answer: Any, polled: Any = None) -> None:
        super().__init__()
        self.answer = answer
        self.polled = polled

    def _answer_or_raise(self) -> Any:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    @hookimpl
    def protect(self) -> Any:
        return self._answer_or_raise()

    @hookimpl
    def restore(self) -> Any:
        return self._answer_or_raise()

    @hookimpl
    def cancel(self) -> Any:
        return self._answer_or_raise()

    @hookimpl
    def release(self) -> Any:
        return self._answer_or_raise()

    @hookimpl
    def scope(self) -> Any:
        return self._answer_or_raise()

    @hookimpl
    def check(self) -> Any:
        return self._answer_or_raise()

    @hookimpl
    def poll(self) -> Any:
        return self.polled
