"""What can go wrong with a sandbox.

::

    SandboxError
    ├── BuildError            an environment for the servers could not be built
    ├── ServiceError          a server did not come up, or does not exist
    ├── NotRunningError       the instance that was asked for does not run
    └── MissingProgramError   a program of the operating system is missing
"""


class SandboxError(Exception):
    """Base of everything that the sandbox raises on purpose; its text is meant for people."""


class BuildError(SandboxError):
    """An environment for the servers could not be built."""


class ServiceError(SandboxError):
    """A server did not come up, or there is none of that name."""


class NotRunningError(SandboxError):
    """The instance that was asked for does not run."""


class MissingProgramError(SandboxError):
    """A program of the operating system is missing; the text says how to install it."""
