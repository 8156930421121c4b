"""Backends that are wrong about what their operations use together."""

import uuid
from collections.abc import Sequence
from typing import ClassVar

import attrs

from karbor_backup_core import Operation, Resource, SharedResource, Verb, hookimpl
from karbor_backup_fake import FakeBackend
from tests.contract.mutants.registry import breaks


@breaks("C-236")
class ResourcePerObject(FakeBackend):
    """Names a resource of its own in every object."""

    @hookimpl
    def shared_resources(self, operation: Operation) -> Sequence[SharedResource]:
        if not hasattr(self, "_name"):
            self._name = uuid.uuid4().hex
        shared = super().shared_resources(operation)
        return [attrs.evolve(each, name=f"{each.name} {self._name}") for each in shared]


@breaks("C-236")
class ReservesWhenAsked(FakeBackend):
    """Makes something in the service when it is asked again what an operation uses."""

    asked: ClassVar[set[str]] = set()

    @hookimpl
    def shared_resources(self, operation: Operation) -> Sequence[SharedResource]:
        if operation.id in self.asked:
            self._cloud.add_resource(Resource("reservation", uuid.uuid4().hex))
        self.asked.add(operation.id)
        return super().shared_resources(operation)


@breaks("C-237", also={"C-238"})
class PrunesBesideOthers(FakeBackend):
    """Shares what it prunes with everybody."""

    @hookimpl
    def shared_resources(self, operation: Operation) -> Sequence[SharedResource]:
        shared = super().shared_resources(operation)
        return [attrs.evolve(each, exclusive=False) for each in shared]


@breaks("C-237")
class RestoresWithoutAsking(FakeBackend):
    """Takes it that who only reads the data is in nobody's way."""

    @hookimpl
    def shared_resources(self, operation: Operation) -> Sequence[SharedResource]:
        reads = operation.verb in (Verb.RESTORE, Verb.VERIFY)
        return () if reads else super().shared_resources(operation)


@breaks("C-237", also={"C-238"})
class NamesResourceByType(FakeBackend):
    """Has a name for each type of what is protected, so that no two agree."""

    @hookimpl
    def shared_resources(self, operation: Operation) -> Sequence[SharedResource]:
        shared = super().shared_resources(operation)
        return [
            attrs.evolve(each, name=f"{each.name} {operation.resource.type}") for each in shared
        ]


@breaks("C-238")
class SharesEmptyVault(FakeBackend):
    """Lets a prune go on beside others where there is nothing that it could remove yet."""

    @hookimpl
    def shared_resources(self, operation: Operation) -> Sequence[SharedResource]:
        shared = super().shared_resources(operation)
        if self._cloud.copies():
            return shared
        return [attrs.evolve(each, exclusive=False) for each in shared]
