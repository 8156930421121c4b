"""A first backup with nothing but what `python -m sandbox up` prints, copied into a shell."""

import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
_SANDBOX = [sys.executable, "-m", "sandbox"]


@pytest.fixture(scope="module")
def printed() -> Iterator[str]:
    name = f"first-{uuid.uuid4().hex[:8]}"
    try:
        yield subprocess.run(
            [*_SANDBOX, "up", "--instance", name],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    finally:
        subprocess.run([*_SANDBOX, "down", "--instance", name], cwd=ROOT, check=True)


def _lines_to_copy(printed: str) -> list[str]:
    indented = re.findall(r"^  (\S.*)$", printed.partition("from this shell:")[2], re.MULTILINE)
    assert [line.partition("=")[0] for line in indented if line.startswith("export ")][:2] == [
        "export OS_CLIENT_CONFIG_FILE",
        "export OS_CLOUD",
    ]
    return indented


def _run(printed: str, home: Path, *commands: str) -> str:
    """Run the printed lines, then commands, in a shell that knows nothing else."""
    script = "\n".join(["set -e", *_lines_to_copy(printed), *commands])
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home)},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_protect_list_and_restore_as_printed(printed: str, tmp_path: Path) -> None:
    home, data = tmp_path / "home", tmp_path / "data"
    home.mkdir()
    data.mkdir()
    (data / "file").write_text("what is to come back")

    output = _run(printed, home, f"karbor-backup protect directory {data}", "karbor-backup list")
    assert "STATUS" in output  # the printed lines end with a check
    assert f"protected Freezer::FileSystem::Directory {data}" in output
    (backup,) = re.findall(r"^  backup +(\S+)$", output, re.MULTILINE)
    assert output.count(backup) > 1

    (data / "file").write_text("damaged")
    restored = _run(printed, home, f"karbor-backup restore {backup} -o overwrite=true")
    assert f"restored Freezer::FileSystem::Directory {data}" in restored
    assert (data / "file").read_text() == "what is to come back"


def test_store_and_backups_are_in_the_sandboxs_folder(printed: str, tmp_path: Path) -> None:
    _run(printed, tmp_path, "karbor-backup operations")
    assert not (tmp_path / ".local").exists()
    assert not (tmp_path / ".config").exists()
    (config,) = re.findall(r"export KARBOR_BACKUP_CONFIG=(\S+)", printed)
    assert Path(config).stat().st_mode & 0o077 == 0
    assert Path(config).read_text() in printed
    assert Path(config).with_name("operations.sqlite").exists()
