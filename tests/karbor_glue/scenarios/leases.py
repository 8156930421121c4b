"""Leases in a bank that several processes use at once."""

import os
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from karbor.services.protection.bank_plugins.file_system_bank_plugin import FileSystemBankPlugin

from karbor_backup_core import StoreError, system_clock
from karbor_glue._leases import Leases, process_lease

LEASE = timedelta(hours=1)
OWNER = "host:boot:1:2:3:60:name"


@pytest.fixture
def bank(harness: Any) -> Any:
    """Karbor's file-system bank."""
    return harness.provider.bank


def lease_copies(harness: Any) -> list[Path]:
    """Return the objects that show leases."""
    return sorted(path for path in harness.bank.rglob("owners/*") if path.is_file())


@pytest.mark.parametrize("copy", [0, 1])
def test_lease_is_readable_while_one_copy_is_written(harness: Any, bank: Any, copy: int) -> None:
    until = system_clock() + LEASE
    Leases(bank).renew(OWNER, until)
    assert len(lease_copies(harness)) == 2
    lease_copies(harness)[copy].write_text("")
    assert Leases(bank).expiry(OWNER) == until
    assert list(Leases(bank).live_leases().values()) == [until]


def test_lease_deleted_during_the_read_counts_as_missing(
    harness: Any, bank: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Leases(bank).renew(OWNER, system_clock() + LEASE)
    read = FileSystemBankPlugin._get_object

    def remove_first(plugin: Any, path: str) -> Any:
        for each in lease_copies(harness):
            each.unlink()
        return read(plugin, path)

    monkeypatch.setattr(FileSystemBankPlugin, "_get_object", remove_first)
    assert Leases(bank).expiry(OWNER) is None


def test_a_lease_that_cannot_be_read_is_an_error(
    bank: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    Leases(bank).renew(OWNER, system_clock() + LEASE)
    monkeypatch.setattr(FileSystemBankPlugin, "_get_object", _raise_os_error)
    with pytest.raises(StoreError, match=r"could not read .* of the leases"):
        Leases(bank).live_leases()


def test_lease_is_written_when_another_process_removes_the_folder(
    bank: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = iter([True, False, True, True, False])
    write = FileSystemBankPlugin._write_object

    def sometimes(plugin: Any, path: str, data: str) -> None:
        if next(failing):
            _raise_os_error()
        write(plugin, path, data)

    monkeypatch.setattr(FileSystemBankPlugin, "_write_object", sometimes)
    until = system_clock() + LEASE
    Leases(bank).renew(OWNER, until)
    assert Leases(bank).expiry(OWNER) == until


def test_a_process_of_this_host_that_has_ended_is_not_alive(harness: Any, bank: Any) -> None:
    _run_in_child(lambda: process_lease.renew(bank, LEASE))
    assert lease_copies(harness) != []
    assert Leases(bank).live_leases() == {}
    Leases(bank).delete_dead()
    assert lease_copies(harness) == []


def test_own_lease_is_live_for_other_processes_only(harness: Any, bank: Any) -> None:
    process_lease.renew(bank, LEASE)
    assert Leases(bank).live_leases() == {}
    count = harness.bank / "seen"
    _run_in_child(lambda: count.write_text(str(len(Leases(bank).live_leases()))))
    assert count.read_text() == "1"


def test_lease_renewed_recently_is_not_written_again(harness: Any, bank: Any) -> None:
    process_lease.renew(bank, LEASE)
    before = [path.stat().st_mtime_ns for path in lease_copies(harness)]
    process_lease.renew(bank, LEASE)
    assert [path.stat().st_mtime_ns for path in lease_copies(harness)] == before


def _run_in_child(do: Callable[[], object]) -> None:
    child = os.fork()
    if child == 0:
        do()
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)


def _raise_os_error(*_: object) -> None:
    raise OSError("no such file")
