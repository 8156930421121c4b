"""A real Keystone and a real Freezer on loopback, for demonstrations, tests and benchmarks."""

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
