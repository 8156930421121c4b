"""Each extra alone, in an environment of its own: it works, or says what to install."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.support.wheels import ROOT, Environment

_NO_CLICK: Final = "click is not installed: pip install '.[cli]'"
_NO_SQLALCHEMY: Final = "sqlalchemy is not installed: pip install '.[sql]'"

_EXTRAS: Final = {
    # extra: what the command says to `--version`, and to `list`, where it cannot do it
    "": (_NO_CLICK, _NO_CLICK),
    "cinder": (_NO_CLICK, _NO_CLICK),
    "freezer": (_NO_CLICK, _NO_CLICK),
    "process": (_NO_CLICK, _NO_CLICK),
    "restic": (_NO_CLICK, _NO_CLICK),
    "storages": (_NO_CLICK, _NO_CLICK),
    "sql": (_NO_CLICK, _NO_CLICK),
    "contract": (_NO_CLICK, _NO_CLICK),
    "karbor": (None, _NO_SQLALCHEMY),
    "cli": (None, None),
    "scale": (None, None),
}

_PROGRAMS: Final = {
    "": "import karbor_backup_core, karbor_backup_fake",
    "cinder": "from karbor_backup_cinder import CinderBackend; CinderBackend({})",
    "freezer": "from karbor_backup_freezer import FreezerBackend; FreezerBackend({})",
    "process": "from karbor_backup_process import ProcessJobs",
    "restic": "from karbor_backup_restic import ResticBackend; ResticBackend.CONFIG_SCHEMA",
    "storages": "import karbor_backup_freezer, minio, paramiko",
    "sql": "from karbor_backup_core.stores.sql import SQLStore; SQLStore('sqlite:///store.db')",
    "contract": "import karbor_backup_contract.testing, karbor_backup_contract._report",
    "karbor": "import karbor_glue.options; karbor_glue.options.list_opts()",
    "cli": "import karbor_backup_cli._main",
    # It fails where the driver does not find its libpq.
    "scale": "import psycopg, karbor_backup_scale._worker; psycopg.pq.version()",
}
"""What each extra is for, as a program."""


def test_every_extra_is_tested_alone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {"", *project["optional-dependencies"]}
    assert set(_EXTRAS) == extras
    assert set(_PROGRAMS) == extras


@pytest.mark.timeout(600)
@pytest.mark.parametrize("extra", _EXTRAS)
def test_extra_alone_works_or_names_what_to_install_in_one_line(
    environment_of: Callable[[str], Environment], extra: str, tmp_path: Path
) -> None:
    environment = environment_of(extra)
    environment.run("python", "-c", _PROGRAMS[extra], cwd=tmp_path)
    for argument, missing in zip(("--version", "list"), _EXTRAS[extra], strict=True):
        done = environment.run_unchecked("karbor-backup", argument)
        if missing is not None:
            assert (done.returncode, done.stdout) == (2, "")
            assert missing in done.stderr
        elif argument == "--version":
            assert (done.returncode, done.stderr) == (0, "")
        else:
            assert done.returncode == 1
            assert "there is no store" in done.stderr
        assert done.stderr.count("\n") <= 1


@pytest.mark.timeout(600)
@pytest.mark.parametrize("named", [("--backend", "freezer"), ()], ids=["named", "default"])
def test_command_without_a_backends_libraries_names_the_extra(
    environment_of: Callable[[str], Environment], named: tuple[str, ...]
) -> None:
    environment = environment_of("cli")
    listed = json.loads(environment.run("karbor-backup", "backends", "--json"))
    assert "pip install '.[freezer]'" in json.dumps(listed)
    done = environment.run_unchecked("karbor-backup", "protect", "volume", "x", *named)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install '.[freezer]'" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.timeout(600)
@pytest.mark.parametrize("command", ["worker", "workers", "queue", "schedules"])
def test_command_of_the_workers_without_their_libraries_names_the_extra(
    environment_of: Callable[[str], Environment], command: str, tmp_path: Path
) -> None:
    configuration = tmp_path / "config.toml"
    configuration.write_text(
        '[store]\nurl = "postgresql+psycopg://backup@db/backup"\n[backends.fake]\n'
        '[schedules.a]\ncron = "0 * * * *"\nresources = [{type = "volume", id = "v"}]\n'
    )
    done = environment_of("cli").run_unchecked(
        "karbor-backup", command, "--config", str(configuration)
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install '.[scale]'" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "arguments", [("worker",), ("workers",), ("queue",), ("protect", "volume", "x", "--detach")]
)
def test_command_without_the_engine_of_workers_names_the_extra(
    environment_of: Callable[[str], Environment], tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[workers]\nhold = 2\n[backends.fake]\n")
    environment = environment_of("cli")
    done = environment.run_unchecked("karbor-backup", "--config", str(config), *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "pip install '.[scale]'" in done.stderr
    assert done.stderr.count("\n") == 1
