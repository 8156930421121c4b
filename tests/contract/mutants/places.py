"""Backends that are wrong about where their work goes on."""

import uuid

from karbor_backup_core import Place, hookimpl
from karbor_backup_fake import FakeBackend
from tests.contract.mutants.registry import breaks


@breaks(
    "C-421",
    also={
        "C-113",
        "C-232",
        "C-233",
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
        "C-503",
        "C-601",
        "C-604",
        "C-701",
        "C-707",
        "C-913",
    },
)
class PlacePerObject(FakeBackend):
    """Names a place of its own in every object."""

    @hookimpl
    def place(self) -> Place:
        if not hasattr(self, "_place"):
            self._place = Place(uuid.uuid4().hex, "here")
        return self._place


@breaks("C-422")
class SamePlaceEverywhere(FakeBackend):
    """Names the same place on every host."""

    @hookimpl
    def place(self) -> Place:
        return Place("everywhere", "here")


@breaks("C-422")
class NoPlace(FakeBackend):
    """Does not say that its work is bound to a host."""

    @hookimpl
    def place(self) -> Place | None:
        return None
