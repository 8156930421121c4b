"""A real Keystone and a real Freezer on loopback, for demonstrations, tests and benchmarks."""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sandbox.cloud import Sandbox
    from sandbox.errors import (
        BuildError,
        MissingProgramError,
        NotRunningError,
        SandboxError,
        ServiceError,
    )
    from sandbox.scheduler import Capabilities

__all__ = [
    "BuildError",
    "Capabilities",
    "MissingProgramError",
    "NotRunningError",
    "Sandbox",
    "SandboxError",
    "ServiceError",
]

_ELSEWHERE: Final = {"Capabilities": "sandbox.scheduler", "Sandbox": "sandbox.cloud"}


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, so that `__main__` can say which library lacks."""
    if name not in __all__:
        raise AttributeError(f"module 'sandbox' has no attribute {name!r}")
    return getattr(importlib.import_module(_ELSEWHERE.get(name, "sandbox.errors")), name)
