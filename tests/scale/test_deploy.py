"""The files of ``examples/deploy``: what they start is started, without a container engine."""

import configparser
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from karbor_backup_core.configuration import load_configuration
from sandbox import debian_packages
from sandbox.layout import Project
from tests.pages.blocks import Block
from tests.scale.harness import wait_until
from tests.scale.shell import run_workers
from tests.support.wheels import ROOT, Environment

DEPLOY: Final = ROOT / "examples" / "deploy"
INSTALLED: Final = "/opt/karbor-backup/"
VOLUME: Final = "5aa119a8-d25b-45a7-8d1b-88e127885635"
UNITS: Final = sorted(each.name for each in DEPLOY.glob("karbor-backup-*"))


@pytest.fixture
def environment(environment_of: Callable[[str], Environment]) -> Environment:
    """Return an environment with what the image installs."""
    (extras,) = re.findall(r"'/src\[(.*)\]'", (DEPLOY / "Containerfile").read_text())
    return environment_of(extras)


@pytest.fixture
def configuration(tmp_path: Path, url: str) -> Path:
    """Return the configuration of the example, with a database and a backend that are here."""
    secret = tmp_path / "store-url"
    secret.write_text(url)
    text = (DEPLOY / "config.toml").read_text()
    for old, new in (
        ("/run/secrets/store-url", str(secret)),
        ('use = "cinder"\ncloud = "production"', 'use = "fake"'),
        # Due once, whenever the test runs: its last tick is new year's.
        ('cron = "30 2 * * *"', 'cron = "0 0 1 1 *"\nstart_within = "400d"'),
        ('jitter = "10m"', ""),
        (VOLUME, "volume-1"),
    ):
        assert old in text
        text = text.replace(old, new)
    file = tmp_path / "config.toml"
    file.write_text(text)
    return file


def environ_of(environment: Environment, configuration: Path) -> dict[str, str]:
    return environment.program_environ | {"KARBOR_BACKUP_CONFIG": str(configuration)}


def test_workers_of_the_compose_file_do_what_the_configuration_schedules(
    environment: Environment, configuration: Path
) -> None:
    environ = environ_of(environment, configuration)
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["worker"]
    (entry_point,) = re.findall(
        r"^ENTRYPOINT (.*)$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE
    )
    command = [*yaml.safe_load(entry_point), *service["command"]]
    command[0] = str(environment.folder / "bin" / command[0])

    def last_status() -> Any:
        listed = run([command[0], "schedules", "--json"], environ)
        (schedule,) = yaml.safe_load(listed)["schedules"]
        return schedule["last"] and schedule["last"]["status"]

    with run_workers(command, environ, service["deploy"]["replicas"]):
        wait_until(lambda: last_status() == "succeeded")


def test_nightly_service_makes_a_backup(environment: Environment, configuration: Path) -> None:
    service = read_unit("karbor-backup-nightly.service")["Service"]
    environ = environ_of(environment, configuration)
    before, protect = (
        shlex.split(
            service[key]
            .removeprefix("-")
            .replace(INSTALLED, f"{environment.folder}/")
            .replace(VOLUME, "volume-1")
        )
        for key in ("ExecStartPre", "ExecStart")
    )
    subprocess.run(before, env=environ, check=False)  # There is no store yet.
    assert "protected" in run(protect, environ)
    assert run(before, environ) == "nothing to resume\n"


def test_cron_job_makes_a_backup(environment: Environment, configuration: Path) -> None:
    job = yaml.safe_load((DEPLOY / "cronjob.yaml").read_text())
    (container,) = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    (script,) = container["args"]
    command = [*container["command"], script.replace(VOLUME, "volume-1")]
    assert "protected" in run(command, environ_of(environment, configuration))


def test_page_is_a_configuration(tmp_path: Path, marked_blocks: list[Block]) -> None:
    (block,) = marked_blocks
    file = tmp_path / "config.toml"
    file.write_text(block.text)
    assert load_configuration(file).store_url is not None


@pytest.mark.parametrize("name", UNITS)
def test_unit_is_one_that_systemd_understands(
    environment: Environment, tmp_path: Path, name: str
) -> None:
    for each in UNITS:
        text = (DEPLOY / each).read_text().replace(INSTALLED, f"{environment.folder}/")
        (tmp_path / each).write_text(text)
    done = subprocess.run(
        [find_systemd_analyze(), "verify", "--man=no", tmp_path / name],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def find_systemd_analyze() -> str | Path:
    """Return the program of the machine, or that of Debian's package."""
    if found := shutil.which("systemd-analyze"):
        return found
    packages = ("systemd", "libsystemd-shared", "libapparmor1", "libkmod2")
    root = debian_packages.unpack_packages(Project(ROOT), packages, lambda _: None)
    return root / "usr" / "bin" / "systemd-analyze"


def read_unit(name: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment, method-assign] # keys keep their case
    unit.read(DEPLOY / name)
    return unit


def run(command: Sequence[str], environ: dict[str, str]) -> str:
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
