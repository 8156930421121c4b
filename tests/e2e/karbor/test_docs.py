"""What docs/karbor.md tells an operator to do is done here, word by word."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.ports import HOST
from tests.e2e.karbor.conftest import EXAMPLES, ROOT
from tests.e2e.karbor.service import PROJECT, Karbor

DOCS = ROOT / "docs" / "karbor.md"


def block(language: str, having: str) -> str:
    """The one block of code in the documentation that has this text."""
    found = re.findall(rf"```{language}\n(.*?)```", DOCS.read_text(), re.DOTALL)
    (wanted,) = (each for each in found if having in each)
    return str(wanted)


def test_the_steps_from_a_plan_to_a_delete(make_karbor: Callable[..., Karbor]) -> None:
    karbor = make_karbor()
    provider = karbor.add_provider("fake", (EXAMPLES / "fake.conf").read_text())
    karbor.start()
    known = {
        "KARBOR": f"http://{HOST}:{karbor.port}/v1/{PROJECT}",
        "TOKEN": f"admin:{PROJECT}",
        "PROVIDER": provider,
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", block("bash", "until_over")],  # noqa: S607
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


def test_the_line_that_installs_is_said_to_need_a_checkout() -> None:
    assert "'.[freezer,karbor]'" in block("console", "pip install")
    said = " ".join(DOCS.read_text().split())
    assert "`.` is the checkout" in said
    assert "so `pip install karbor-backup` finds nothing" in said


@pytest.mark.timeout(900)
def test_the_line_that_installs_finds_versions_that_go_together(tmp_path: Path) -> None:
    line = block("console", "pip install").strip()
    program, *words = line.replace("'", "").split()
    assert program == "pip"
    written = tmp_path / "report.json"
    report = ["--dry-run", "--ignore-installed", "--quiet", "--report", written]
    subprocess.run([sys.executable, "-m", "pip", *words, *report], cwd=ROOT, check=True)
    found = json.loads(written.read_text())["install"]
    versions = {each["metadata"]["name"].lower(): each["metadata"]["version"] for each in found}
    assert versions["karbor"] == "1.6.0"
    assert versions["sqlalchemy"].startswith("1.3.")
    assert {"python-freezerclient", "karbor-backup", "keystoneauth1", "click"} <= set(versions)
