"""Backends that give secrets away."""

import logging

import attrs

from karbor_backup_core import BackendError, BackendInfo, Operation, Progress, hookimpl
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
