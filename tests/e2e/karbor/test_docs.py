"""What the pages about Karbor tell an operator to do is done here, word by word."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.environments import Environment
from sandbox.ports import HOST
from tests.e2e.karbor.conftest import EXAMPLES, ROOT
from tests.e2e.karbor.karbor_service import PROJECT, KarborService
from tests.pages.blocks import Block
from tests.pages.reader import Reader

DOCS = ROOT / "docs" / "how-to" / "install-karbor-plugins.md"


def test_steps_from_a_plan_to_a_delete(
    make_karbor: Callable[..., KarborService], marked_blocks: list[Block]
) -> None:
    (block,) = marked_blocks
    karbor = make_karbor()
    provider = karbor.add_provider("fake", (EXAMPLES / "fake.conf").read_text())
    karbor.start()
    known = {
        "KARBOR": f"http://{HOST}:{karbor.port}/v1/{PROJECT}",
        "TOKEN": f"admin:{PROJECT}",
        "PROVIDER": provider,
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block.text],  # noqa: S607
        env={**os.environ, "NO_PROXY": HOST, **known},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == [
        "checkpoint: available",
        "restore: success",
        "verification: success",
        "checkpoint: deleted",
        "",
    ]


def test_install_page_names_that_a_checkout_is_needed() -> None:
    text = " ".join(DOCS.read_text().split())
    assert "`.` is the checkout" in text
    assert "so `pip install karbor-backup` finds nothing" in text


@pytest.mark.timeout(900)
def test_install_command_finds_compatible_versions(
    marked_blocks: list[Block], tmp_path: Path
) -> None:
    (block,) = marked_blocks
    (line,) = block.commands
    program, *words = shlex.split(line)
    assert program == "pip"
    assert ".[freezer,karbor]" in words
    written = tmp_path / "report.json"
    report = ["--dry-run", "--ignore-installed", "--quiet", "--report", str(written)]
    subprocess.run([sys.executable, "-m", "pip", *words, *report], cwd=ROOT, check=True)
    packages = json.loads(written.read_text())["install"]
    versions = {each["metadata"]["name"].lower(): each["metadata"]["version"] for each in packages}
    assert versions["karbor"] == "1.6.0"
    assert versions["sqlalchemy"].startswith("1.3.")
    assert {"python-freezerclient", "karbor-backup", "keystoneauth1", "click"} <= set(versions)


def test_plugin_for_another_backend(full_karbor: Environment, marked_blocks: list[Block]) -> None:
    (block,) = marked_blocks
    program = f"{block.text}\nassert issubclass(TarProtectionPlugin, ProtectionPlugin)"
    base = "from karbor.services.protection.protection_plugin import ProtectionPlugin"
    subprocess.run(
        [full_karbor.bin / "python", "-W", "ignore", "-c", f"{base}\n{program}"], check=True
    )


def test_recovery_of_a_provider(
    make_karbor: Callable[..., KarborService], marked_blocks: list[Block], tmp_path: Path
) -> None:
    karbor = make_karbor()
    provider = karbor.add_provider("fake", (EXAMPLES / "fake.conf").read_text())
    karbor.start()
    (block,) = marked_blocks
    path = f"{karbor.environment.bin}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, **karbor.environ, "PYTHONWARNINGS": "ignore", "PATH": path}
    words = {"PROVIDER": provider, "/etc/karbor/karbor.conf": str(karbor.conf)}
    assert Reader(tmp_path, environ, words).run(block).endswith("nothing to recover\n")


def test_directories_of_the_configuration_are_listed(
    make_karbor: Callable[..., KarborService], marked_blocks: list[Block]
) -> None:
    (block,) = marked_blocks
    karbor = make_karbor(more=block.text)
    karbor.add_provider("fake", (EXAMPLES / "fake.conf").read_text())
    karbor.start()
    offered = karbor.call("GET", "/protectables/Freezer::FileSystem::Directory/instances")
    paths = block.text.partition("paths = ")[2].strip().split(",")
    assert {each["name"] for each in offered["instances"]} == {Path(path).name for path in paths}
