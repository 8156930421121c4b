"""A run of tests has one sandbox, which goes with it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox import Sandbox

# It installs what the inner runs need, which has limits of its own.
pytestmark = pytest.mark.usefixtures("ftp")

USERS = """
import os
from pathlib import Path

def test_uses_it(sandbox, sandbox_part):
    assert sandbox_part("ftp") == sandbox.ftp
    seen = Path(__file__).parent / os.environ.get("PYTEST_XDIST_WORKER", "alone")
    seen.write_text(f"{sandbox.instance.layout.home} {sandbox.auth_url}")
"""

FAILS = """
def test_fails(sandbox):
    assert False

def test_plans_a_fault_that_never_fires(sandbox, fault_proxy):
    from tests.support import http_faults
    fault_proxy.plan(http_faults.disconnect(), at=9)
"""


PLUGINS = ("-p", "sandbox.pytest_plugin", "-p", "tests.support.fault_proxy_plugin")


def run_tests(directory: Path, code: str, *options: str) -> subprocess.CompletedProcess[str]:
    (directory / "test_inner.py").write_text(code)
    (directory / "pytest.ini").touch()
    environ = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    environ.pop("KARBOR_BACKUP_TEST_RUN", None)
    return subprocess.run(
        [sys.executable, "-m", "pytest", *PLUGINS, *options, str(directory)],
        cwd=directory,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_processes_of_a_run_share_one_sandbox(tmp_path: Path) -> None:
    done = run_tests(tmp_path, USERS, "--dist=each", "--tx=2*popen")

    assert done.returncode == pytest.ExitCode.OK, done.stdout
    first, second = ((tmp_path / worker).read_text() for worker in ("gw0", "gw1"))
    assert first == second
    home, _ = first.split()
    assert not Path(home).exists()


def test_a_run_does_not_disturb_another(sandbox: Sandbox, tmp_path: Path) -> None:
    run_tests(tmp_path, USERS)

    home, auth_url = (tmp_path / "alone").read_text().split()
    assert home != str(sandbox.instance.layout.home)
    assert auth_url != sandbox.auth_url
    assert not Path(home).exists()
    assert sandbox.session().get_token()


def test_a_failed_test_shows_what_the_servers_logged(tmp_path: Path) -> None:
    done = run_tests(tmp_path, FAILS)

    assert "end of the sandbox's freezer-api.log" in done.stdout
    assert "These planned faults never struck" in done.stdout
    assert "1 failed, 1 passed, 1 error" in done.stdout
