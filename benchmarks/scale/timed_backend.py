"""A backend whose work ends after a while by itself, whichever process asks for it."""

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from karbor_backup_core import (
    CONTRACT_VERSION,
    Ability,
    BackendInfo,
    Health,
    Operation,
    Progress,
    ProgressState,
    Support,
    Unsupported,
    Verb,
    hookimpl,
)

VOLUME: Final = "OS::Cinder::Volume"


class TimedBackend:
    """Notes in the receipt when its work ends, so that processes need nothing in common.

    Args:
        seconds: how long a protect takes.

    Attributes:
        polls: how often it was polled.
    """

    CONFIG_SCHEMA: Mapping[str, Any] = {"type": "object"}

    def __init__(self, seconds: float) -> None:
        self.polls = 0
        self._seconds = seconds

    @hookimpl
    def describe(self) -> BackendInfo:
        """Return what it can do."""
        abilities = {VOLUME: {Verb.PROTECT: Ability(Support.SUPPORTED)}}
        return BackendInfo(
            name="timed", version="1", contract=CONTRACT_VERSION, abilities=abilities
        )

    @hookimpl
    def scope(self) -> str:
        """Name the service."""
        return "timed"

    @hookimpl
    def check(self) -> Health:
        """Be well."""
        return Health(ok=True, summary="well")

    @hookimpl
    def protect(self) -> Progress:
        """Begin work."""
        return Progress(ProgressState.RUNNING, receipt={"ends": time.time() + self._seconds})

    @hookimpl
    def restore(self) -> Progress:
        """Refuse."""
        raise Unsupported("it only protects")

    @hookimpl
    def delete(self) -> Progress:
        """Refuse."""
        raise Unsupported("it only protects")

    @hookimpl
    def verify(self) -> Progress:
        """Refuse."""
        raise Unsupported("it only protects")

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        """Tell which work has ended."""
        self.polls += 1
        now = time.time()
        return {each.id: self._read_progress(each, now) for each in operations}

    @hookimpl
    def cancel(self) -> bool:
        """Let work go on."""
        return False

    @hookimpl
    def release(self) -> Progress:
        """Have nothing to remove."""
        return Progress(ProgressState.SUCCEEDED)

    def _read_progress(self, operation: Operation, now: float) -> Progress:
        if operation.receipt is None or now < operation.receipt["ends"]:
            return Progress(ProgressState.RUNNING)
        return Progress(ProgressState.SUCCEEDED, handle={"operation": operation.id})
