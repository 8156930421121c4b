"""Runs scenarios in an environment of Karbor's, and tells each of their cases apart.

The project's own environment has no Karbor. So the scenarios, which are pytest tests too, run in
another process, and each of their functions is a test here, with its own result.
"""

import ast
import os
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

import attrs

from sandbox.environments import Environment
from sandbox.layout import file_lock

SCENARIOS = Path(__file__).parent / "scenarios"
TIMEOUT = 900.0


@attrs.frozen
class ScenarioResults:
    """What became of the functions of one file.

    Attributes:
        failures: per function, the texts of its cases that did not pass; empty for one that did.
        output: all that was written.
    """

    failures: Mapping[str, list[str]]
    output: str

    def check(self, function: str) -> None:
        """Fail unless the function has run, and each of its cases has passed."""
        assert function in self.failures, f"{function} has not run:\n{self.output}"
        assert not self.failures[function], "\n".join(self.failures[function])


def list_test_functions(file: Path) -> list[str]:
    """Return the names of the test functions of a file, without importing it."""
    body = ast.parse(file.read_text()).body
    return [
        node.name
        for node in body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


def run_once(
    environment: Environment,
    file: Path,
    shared: Path,
    environ: Mapping[str, str] | None = None,
    timeout: float = TIMEOUT,
) -> ScenarioResults:
    """Run one file of scenarios, unless another worker of pytest-xdist has run it in this run.

    Args:
        environment: Karbor's.
        file: the scenarios.
        shared: a folder that all workers of the run share.
        environ: further environment variables.
        timeout: seconds after which the file is no longer believed to end.
    """
    folder = shared / file.stem
    folder.mkdir(exist_ok=True)
    output = folder / "output.txt"
    with file_lock(folder / ".lock"):
        if not output.exists():
            output.write_text(_run_scenarios(environment, file, folder, environ or {}, timeout))
    return ScenarioResults(_read_failures(folder / "report.xml"), output.read_text())


def _run_scenarios(
    environment: Environment,
    file: Path,
    folder: Path,
    environ: Mapping[str, str],
    timeout: float,
) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    options = ["-p", "harness", "-W", "ignore", f"--junitxml={folder / 'report.xml'}"]
    done = subprocess.run(
        [environment.python, SCENARIOS / "run.py", *options, f"--basetemp={folder / 'tmp'}", file],
        env={**inherited, "PYTHONPATH": str(SCENARIOS), "HOME": str(folder), **environ},
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=timeout,
        check=False,
    )
    return done.stdout


def _read_failures(report: Path) -> dict[str, list[str]]:
    failures: dict[str, list[str]] = {}
    if not report.exists():
        return failures
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it just now
        name = case.attrib["name"].partition("[")[0]
        bad = [each for each in case if each.tag in ("failure", "error", "skipped")]
        failures.setdefault(name, []).extend(f"{case.attrib['name']}: {each.text}" for each in bad)
    return failures
