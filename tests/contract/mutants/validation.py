"""Backends that take what they should refuse, and refuse what they should take."""

import attrs

from karbor_backup_core import (
    Ability,
    BackendError,
    BackendInfo,
    InvalidInput,
    Operation,
    Progress,
    Support,
    Unsupported,
    Verb,
    hookimpl,
)
from karbor_backup_fake import FakeBackend
from karbor_backup_fake._abilities import OPTIONS, VOLUME
from karbor_backup_fake._model import JobKind, Task
from tests.contract.mutants.description import info_with_ability
from tests.contract.mutants.registry import breaks


@breaks("C-301", also={"C-235"})
class RefusesWithGenericError(FakeBackend):
    """Refuses what it does not declare with an error that says nothing."""

    def _start_phase(self, operation: Operation) -> Progress:
        try:
            return super()._start_phase(operation)
        except Unsupported:
            raise BackendError("something went wrong") from None


@breaks("C-301", also={"C-235"})
class RefusesAfterStart(FakeBackend):
    """Begins work for what it does not declare, and refuses then."""

    def _start_phase(self, operation: Operation) -> Progress:
        try:
            return super()._start_phase(operation)
        except Unsupported:
            with self._connect() as cloud:
                cloud.create_job(operation.id, 1, Task(kind=JobKind.READ))
            raise


@breaks("C-302")
class AcceptsUnknownOptions(FakeBackend):
    """Takes options that it does not know."""

    @hookimpl
    def describe(self) -> BackendInfo:
        schema = {**OPTIONS[Verb.PROTECT], "additionalProperties": True}
        ability = Ability(Support.SUPPORTED, schema=schema)
        return info_with_ability(super().describe(), VOLUME, Verb.PROTECT, ability)


@breaks("C-303", also={"C-217"})
class RequiresAsciiNames(FakeBackend):
    """Refuses names that are not ASCII."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        if not operation.resource.name.isascii():
            raise InvalidInput(f"{operation.resource.name!r} is not ASCII")
        return super().protect(operation)


@breaks("C-304")
class FailsOnLongNames(FakeBackend):
    """Breaks on names of more than 64 characters."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        if len(operation.options["backup_name"]) > 64:
            raise BackendError("Data too long for column 'name'")
        return super().protect(operation)


@breaks("C-304")
class UsesNameAsFormat(FakeBackend):
    """Uses a name as a format."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        try:
            operation.options["backup_name"] % ()
        except (TypeError, ValueError) as error:
            raise BackendError("not a format") from error
        return super().protect(operation)


@breaks("C-305")
class AcceptsAnyHandle(FakeBackend):
    """Reads any handle as its own."""

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        if operation.backup is not None and not operation.backup.handle["copy"]:
            raise BackendError("an empty handle")
        return super().restore(operation)


@breaks("C-308")
class KeepsOption(FakeBackend):
    """Restores in place from the first restore in place on."""

    _kept = False

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        self._kept = self._kept or bool(operation.options.get("in_place"))
        options = {**operation.options, **({"in_place": True} if self._kept else {})}
        return super().restore(attrs.evolve(operation, options=options))


@breaks("C-308")
class RefusesOptionAfterStart(FakeBackend):
    """Begins work with an option that nobody gives, and refuses it then."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        if "description" in operation.options:
            with self._connect() as cloud:
                cloud.create_job("of nobody", 1, Task(kind=JobKind.READ))
            raise InvalidInput("descriptions are not taken")
        return super().protect(operation)


@breaks("C-309")
class RefusesQuotesInNames(FakeBackend):
    """Fails with resources whose names have quotes in them or begin with a dash."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        if set(operation.resource.name) & set("'\"$`") or operation.resource.name.startswith("-"):
            raise BackendError(f"the name {operation.resource.name} cannot be used")
        return super().protect(operation)
