"""Backends that are wrong about which backups need others."""

from collections.abc import Sequence

from karbor_backup_core import Backup, hookimpl
from karbor_backup_fake import FakeBackend, _serialization
from tests.contract.mutants.registry import breaks


@breaks("C-219")
class KnowsNoDependents(FakeBackend):
    """Does not say which backups need others."""

    @hookimpl
    def dependents(self) -> Sequence[str]:
        return ()


@breaks("C-219")
class NamesNextDependentOnly(FakeBackend):
    """Names only the backup that was based on this very one."""

    @hookimpl
    def dependents(self, backup: Backup) -> Sequence[str]:
        return super().dependents(backup)[-1:]


@breaks(
    "C-220",
    also={
        "C-201",
        "C-204",
        "C-231",
        "C-232",
        "C-234",
        "C-236",
        "C-237",
        "C-243",
        "C-305",
        "C-401",
        "C-402",
        "C-406",
        "C-407",
        "C-408",
        "C-414",
        "C-502",
        "C-503",
        "C-506",
        "C-507",
        "C-604",
        "C-605",
        "C-609",
        "C-703",
        "C-801",
        "C-803",
        "C-913",
        "C-925",
    },
)
class TakesLaterBackupsForDependents(FakeBackend):
    """Takes every later backup of the resource for one that needs this one."""

    @hookimpl
    def dependents(self, backup: Backup) -> Sequence[str]:
        copies = [each for each in self._cloud.copies() if each.resource == backup.resource]
        made_by = [copy.operation for copy in copies]
        later = made_by[made_by.index(backup.id) + 1 :] if backup.id in made_by else []
        return later[::-1]


@breaks("C-220", also={"C-305", "C-306"})
class RefusesStrangeHandles(FakeBackend):
    """Breaks on a handle that it has not written."""

    @hookimpl
    def dependents(self, backup: Backup) -> Sequence[str]:
        _serialization.read_copy_id(backup.handle)
        return super().dependents(backup)
