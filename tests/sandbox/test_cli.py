"""The command, as people use it."""

import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sandbox import Sandbox
from sandbox.processes import MARK
from tests.sandbox.conftest import is_running
from tests.support.waiting import wait_until

# It installs the servers first, which has limits of its own.
pytestmark = pytest.mark.usefixtures("sandbox")

ROOT = Path(__file__).parents[2]

COMMAND = [sys.executable, "-m", "sandbox"]

INTERRUPTED = """
import os
from sandbox import cli
from sandbox.instance import Instance
wait = Instance.wait
def wait_for_a_signal(instance, started):
    if started.service.name == {server!r}:
        os.kill(os.getpid(), {number:d})
    wait(instance, started)
Instance.wait = wait_for_a_signal
cli.main()
"""
"""The command, which gets a signal when a server has been started and is not ready yet."""


@pytest.fixture
def name() -> Iterator[str]:
    name = f"cli-{uuid.uuid4().hex[:8]}"
    yield name
    subprocess.run([*COMMAND, "down", "--instance", name], cwd=ROOT, check=True)


def run_cli(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def home(name: str) -> Path:
    return ROOT / ".sandbox" / name


def test_up_status_up_again_and_down(name: str) -> None:
    up = run_cli("up", "--instance", name)
    assert (up.returncode, up.stderr) == (0, "")
    sandbox = Sandbox.attach(ROOT, instance=name)
    for shown in (
        f"The sandbox {name} is up.",
        "scheduler-node1",
        sandbox.freezer_url,
        str(sandbox.logs),
        sandbox.clouds_yaml.read_text(),
        f"export OS_CLIENT_CONFIG_FILE={sandbox.clouds_yaml}",
        "export OS_CLOUD=demo",
        f"export KARBOR_BACKUP_CONFIG={sandbox.config_toml}",
        sandbox.config_toml.read_text(),
        f"python -m sandbox down --instance {name}",
    ):
        assert shown in up.stdout

    servers = sandbox.servers
    status = run_cli("status", "--instance", name)
    assert status.returncode == 0
    assert str(servers["keystone"].process.pid) in status.stdout

    again = run_cli("up", "--instance", name)
    assert f"The sandbox {name} was up already; what runs was left as it is." in again.stdout
    assert sandbox.servers == servers

    sandbox.stop("freezer-api")
    assert "stopped" in run_cli("status", "--instance", name).stdout

    down = run_cli("down", "--instance", name, "--keep")
    assert f"The sandbox {name} is down; its logs are in {sandbox.logs}." in down.stdout
    assert [path.name for path in home(name).iterdir()] == ["logs"]
    assert not any(server.is_running for server in servers.values())

    run_cli("down", "--instance", name)
    assert not home(name).exists()


def test_down_without_a_sandbox_is_no_error(name: str) -> None:
    down = run_cli("down", "--instance", name)

    assert down.returncode == 0
    assert f"There is no sandbox {name}; nothing to do." in down.stdout


def test_status_without_a_sandbox_fails(name: str) -> None:
    status = run_cli("status", "--instance", name)

    assert status.returncode == 1
    assert status.stderr.splitlines() == [
        f"The sandbox '{name}' is not up. Bring it up with: python -m sandbox up"
    ]


def test_unknown_part_error_is_one_line(name: str) -> None:
    up = run_cli("up", "--instance", name, "--with", "tape")

    assert up.returncode == 1
    (line,) = up.stderr.splitlines()
    assert line.startswith("There is no part 'tape', only: ssh, swift, s3, s3-tls, rest, ftp")


def test_run_returns_the_commands_exit_status_and_leaves_no_process() -> None:
    code = "import os, sys; print(os.environ['OS_CLIENT_CONFIG_FILE']); sys.exit(7)"

    done = run_cli("run", sys.executable, "-c", code)

    assert done.returncode == 7
    clouds_yaml = Path(done.stdout.splitlines()[-1])
    assert clouds_yaml.name == "clouds.yaml"
    assert not clouds_yaml.parent.exists()


@pytest.mark.parametrize(
    ("number", "server"),
    [
        pytest.param(signal.SIGINT, "keystone", id="Ctrl-C"),
        pytest.param(signal.SIGTERM, "keystone", id="terminated"),
        pytest.param(signal.SIGHUP, "keystone", id="terminal closed"),
        pytest.param(signal.SIGKILL, "scheduler-node1", id="killed"),
    ],
)
def test_interrupted_up_leaves_no_process(name: str, number: signal.Signals, server: str) -> None:
    code = INTERRUPTED.format(server=server, number=number)
    up = subprocess.run(
        [sys.executable, "-c", code, "up", "--instance", name], cwd=ROOT, check=False
    )

    assert up.returncode in (-number, 128 + number, 1)
    wait_until_nothing_runs(name)


def test_killed_run_leaves_no_process(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    code = f"""
import os, pathlib, time
pathlib.Path({str(pid)!r}).write_text(f"{{os.getpid()}}\\n")
time.sleep(300)
"""
    with subprocess.Popen([*COMMAND, "run", sys.executable, "-c", code], cwd=ROOT) as process:
        try:
            wait_until(lambda: pid.exists() and pid.read_text().endswith("\n"))
            assert home(f"run-{process.pid}").exists()
        finally:
            process.kill()

    wait_until_nothing_runs(f"run-{process.pid}")
    wait_until(lambda: not is_running(int(pid.read_text())))


def wait_until_nothing_runs(name: str) -> None:
    """Wait for the watchdog, or whoever takes an instance down, to be done with it."""
    mark = str(home(name))

    def is_marked(process: psutil.Process) -> bool:
        try:
            return process.environ().get(MARK) == mark
        except psutil.Error:
            return False

    wait_until(lambda: not any(map(is_marked, psutil.process_iter())))
    # A failed `up` keeps the logs.
    wait_until(lambda: not home(name).exists() or [*home(name).iterdir()] == [home(name) / "logs"])
