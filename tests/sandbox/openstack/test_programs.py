"""What the cloud needs of the machine is said in one line, and before anything is begun."""

import os
import subprocess
from pathlib import Path

import pytest

from sandbox import Sandbox, SandboxError
from sandbox.openstack import programs


def test_require_root_refuses_other_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(SandboxError, match=r"^The cloud needs root: [^\n]*$"):
        programs.require_root()


def test_cloud_without_root_starts_nothing(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    # The next step of the start; the servers prove nothing, as other tests start some meanwhile.
    monkeypatch.setattr(programs, "install_missing", lambda _report: pytest.fail("begun"))

    with pytest.raises(SandboxError, match="The cloud needs root"):
        sandbox.part("cloud")


def test_shims_replace_sudo_umount_and_mount() -> None:
    shims = Path(programs.__file__).parent / "shims"

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert run(str(shims / "sudo"), "-E", "echo", "as root").stdout == "as root\n"
    assert run(str(shims / "umount"), "/nowhere").returncode == 0
    assert run(str(shims / "mount.nfs"), "host:/share", "/nowhere").returncode != 0
