"""Backends that give secrets away."""

import base64
import logging
import subprocess
import sys

import attrs

from karbor_backup_core import BackendError, BackendInfo, Health, Operation, Progress, hookimpl
from karbor_backup_fake import FakeBackend
from tests.contract.mutants.registry import breaks


@breaks("C-901")
class TokenInReceipts(FakeBackend):
    """Notes its token in receipts."""

    def _start_phase(self, operation: Operation) -> Progress:
        progress = super()._start_phase(operation)
        token = self._token.reveal() if self._token else ""
        return attrs.evolve(progress, receipt={**(progress.receipt or {}), "token": token})


@breaks("C-901")
class TokenInDescription(FakeBackend):
    """Tells its token in its description."""

    @hookimpl
    def describe(self) -> BackendInfo:
        version = self._token.reveal() if self._token else "1"
        return attrs.evolve(super().describe(), version=version)


@breaks("C-902")
class TokenInLogs(FakeBackend):
    """Logs its token."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        logging.getLogger("mutant").debug("token: %s", self._token and self._token.reveal())
        return super().protect(operation)


@breaks("C-902")
class TokenInErrors(FakeBackend):
    """Shows its token in what is behind an exception."""

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        try:
            return super().restore(operation)
        except BackendError as error:
            if "version" not in str(error):
                raise
            token = self._token.reveal() if self._token else ""
            raise BackendError(str(error)) from ConnectionError(f"X-Auth-Token: {token}")


@breaks("C-901")
class EncodedTokenInReceipts(FakeBackend):
    """Notes its token in receipts, as HTTP sends it."""

    def _start_phase(self, operation: Operation) -> Progress:
        progress = super()._start_phase(operation)
        login = base64.b64encode(f"user:{reveal(self)}".encode()).decode()
        return attrs.evolve(progress, receipt={**(progress.receipt or {}), "login": login})


@breaks("C-902")
class PrintsToken(FakeBackend):
    """Prints its token."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        sys.stdout.write(f"token: {reveal(self)}\n")
        return super().protect(operation)


@breaks("C-903")
class TokenInArguments(FakeBackend):
    """Passes its token on in the arguments of a program."""

    @hookimpl
    def check(self) -> Health:
        subprocess.run(["/bin/true", f"--token={reveal(self)}"], check=True)
        return super().check()


@breaks("C-903")
class TokenInEnvironment(FakeBackend):
    """Passes its token on in the environment of a program."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        subprocess.run(["/bin/true"], check=True, env={"TOKEN": reveal(self)})
        return super().protect(operation)


def reveal(backend: FakeBackend) -> str:
    """Return a backend's token."""
    return backend._token.reveal() if backend._token else ""
