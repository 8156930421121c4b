"""Backends that describe themselves wrongly."""

import hashlib
import itertools
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs

from karbor_backup_core import (
    Ability,
    BackendInfo,
    Health,
    Json,
    Operation,
    Progress,
    Support,
    Unsupported,
    Verb,
    hookimpl,
)
from karbor_backup_fake import FakeBackend
from karbor_backup_fake._abilities import ABILITIES, CONFIG_SCHEMA, IMAGE, OPTIONS, PROJECT, VOLUME
from karbor_backup_fake._model import JobKind, Task
from tests.contract.mutants.registry import breaks

_numbers = itertools.count()


def abilities_with(kind: str, verbs: Mapping[Verb, Ability]) -> dict[str, Mapping[Verb, Ability]]:
    """Return the fake's abilities with those of one type replaced or added."""
    return {**ABILITIES, kind: {**ABILITIES.get(kind, {}), **verbs}}


def info_with_ability(info: BackendInfo, kind: str, verb: Verb, ability: Ability) -> BackendInfo:
    """Return a description with one ability replaced or added."""
    return attrs.evolve(info, abilities=abilities_with(kind, {verb: ability}))


@breaks("C-101")
class MissingHook(FakeBackend):
    """Has no hook `verify`."""

    verify = None  # type: ignore[assignment]


@breaks("C-101")
class DuplicateHook(FakeBackend):
    """Has the hook `verify` twice."""

    @hookimpl(specname="verify")
    def verify_again(self, operation: Operation) -> Progress:
        return self.verify(operation)


@breaks("C-101")
class EmptyName(FakeBackend):
    """Describes itself without a name."""

    @hookimpl
    def describe(self) -> BackendInfo:
        return attrs.evolve(super().describe(), name="")


@breaks("C-102")
class ChangingVersion(FakeBackend):
    """Describes itself with another version each time."""

    @hookimpl
    def describe(self) -> BackendInfo:
        return attrs.evolve(super().describe(), version=str(next(_numbers)))


@breaks("C-103")
class AcceptsUnknownSettings(FakeBackend):
    """Takes settings that it does not know."""

    CONFIG_SCHEMA: ClassVar[Json] = {**CONFIG_SCHEMA, "additionalProperties": True}


@breaks("C-103")
class UndescribedSetting(FakeBackend):
    """Has a setting that nobody describes."""

    CONFIG_SCHEMA: ClassVar[Json] = {
        **CONFIG_SCHEMA,
        "properties": {**CONFIG_SCHEMA["properties"], "speed": {"type": "integer"}},
    }


@breaks("C-104")
class UndescribedOption(FakeBackend):
    """Has an option that nobody describes."""

    @hookimpl
    def describe(self) -> BackendInfo:
        schema = {**OPTIONS[Verb.VERIFY], "properties": {"deep": {"type": "boolean"}}}
        ability = Ability(Support.SUPPORTED, schema=schema)
        return info_with_ability(super().describe(), VOLUME, Verb.VERIFY, ability)


@breaks("C-105")
class ProtectsWithoutRestore(FakeBackend):
    """Protects projects that it cannot restore."""

    @hookimpl
    def describe(self) -> BackendInfo:
        no = Ability(Support.UNSUPPORTED, reason="nobody wrote it")
        return info_with_ability(super().describe(), PROJECT, Verb.RESTORE, no)

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        if operation.resource.type == PROJECT:
            raise Unsupported("nobody wrote it")
        return super().restore(operation)


@breaks("C-106", also={"C-105", "C-110"})
class DeletesCoveredType(FakeBackend):
    """Covers images, and deletes backups of them."""

    @hookimpl
    def describe(self) -> BackendInfo:
        yes = Ability(Support.SUPPORTED, schema=OPTIONS[Verb.DELETE])
        return info_with_ability(super().describe(), IMAGE, Verb.DELETE, yes)


@breaks(
    "C-107",
    also={
        "C-113",
        "C-201",
        "C-209",
        "C-232",
        "C-233",
        "C-241",
        "C-242",
        "C-243",
        "C-247",
        "C-248",
        "C-304",
        "C-401",
        "C-402",
        "C-403",
        "C-404",
        "C-405",
        "C-406",
        "C-407",
        "C-408",
        "C-409",
        "C-410",
        "C-413",
        "C-414",
        "C-415",
        "C-422",
        "C-501",
        "C-502",
        "C-503",
        "C-506",
        "C-507",
        "C-601",
        "C-602",
        "C-604",
        "C-610",
        "C-701",
        "C-703",
        "C-707",
        "C-708",
        "C-801",
        "C-802",
        "C-803",
        "C-901",
        "C-902",
        "C-903",
        "C-911",
        "C-912",
        "C-913",
        "C-921",
        "C-922",
        "C-923",
        "C-924",
    },
)
class ScopePerObject(FakeBackend):
    """Names a scope of its own in every object."""

    @hookimpl
    def scope(self) -> str:
        return f"{super().scope()}:{id(self)}"


@breaks(
    "C-108",
    also={
        "C-201",
        "C-241",
        "C-242",
        "C-243",
        "C-247",
        "C-248",
        "C-401",
        "C-402",
        "C-403",
        "C-404",
        "C-407",
        "C-409",
        "C-410",
        "C-413",
        "C-414",
        "C-415",
        "C-501",
        "C-502",
        "C-503",
        "C-506",
        "C-507",
        "C-601",
        "C-602",
        "C-604",
        "C-610",
        "C-703",
        "C-708",
        "C-801",
        "C-802",
        "C-803",
        "C-901",
        "C-902",
        "C-903",
        "C-911",
        "C-912",
        "C-913",
        "C-921",
        "C-922",
        "C-923",
        "C-924",
    },
)
class SameScopeEverywhere(FakeBackend):
    """Names the same scope everywhere."""

    @hookimpl
    def scope(self) -> str:
        return "fake"


@breaks("C-109")
class AlwaysUnhealthy(FakeBackend):
    """Says of a service that is well that it is not."""

    @hookimpl
    def check(self) -> Health:
        return attrs.evolve(super().check(), ok=False)


@breaks("C-109")
class CheckStartsWork(FakeBackend):
    """Begins work to see whether it can."""

    @hookimpl
    def check(self) -> Health:
        with self._connect() as cloud:
            cloud.create_job("check", 1, Task(kind=JobKind.READ))
        return super().check()


@breaks("C-111")
class AlwaysHealthy(FakeBackend):
    """Says that all is well without asking."""

    @hookimpl
    def check(self) -> Health:
        return Health(ok=True, summary="fine")


@breaks("C-110")
class DeclaresUntestedType(FakeBackend):
    """Declares a type that nobody can try."""

    @hookimpl
    def describe(self) -> BackendInfo:
        info = super().describe()
        share: dict[str, Any] = {"OS::Manila::Share": ABILITIES[VOLUME]}
        return attrs.evolve(info, abilities={**info.abilities, **share})


@breaks("C-107", also={"C-414", "C-509"})
class ScopeOfTheDay(FakeBackend):
    """Has the date in its scope."""

    def _scope_of(self, vault: str) -> str:
        return f"{super()._scope_of(vault)}/{self._cloud.clock().date()}"


@breaks("C-113")
class ScopeOfCredentials(FakeBackend):
    """Has a digest of its token in its scope."""

    def _scope_of(self, vault: str) -> str:
        token = self._token.reveal() if self._token else ""
        return f"{super()._scope_of(vault)}/{hashlib.sha256(token.encode()).hexdigest()[:8]}"
