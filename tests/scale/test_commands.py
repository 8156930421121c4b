"""The commands of the workers, as a person runs them."""

import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.pages.blocks import Block
from tests.scale.harness import LONG, wait_until
from tests.scale.shell import PROGRAM, Shell, run_workers

PROTECT: Final = ("protect", "OS::Cinder::Volume", "volume-1", "-o", "backup_name=one")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def worker(shell: Shell, url: str) -> Iterator["subprocess.Popen[str]"]:
    """Yield a worker that has been started."""
    shell.configure(url)
    with subprocess.Popen(
        [PROGRAM, "worker", "--hold", "5"],
        env=shell.environ,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stderr is not None
        try:
            assert "drives up to 5 operations of mine" in running.stderr.readline()
            yield running
        finally:
            running.kill()


def test_detached_operation_is_driven_by_a_worker_and_waited_for(
    shell: Shell, worker: "subprocess.Popen[str]"
) -> None:
    done = shell.run(*PROTECT, "--detach")
    assert (done.returncode, done.stderr) == (0, "")
    waited = shell.run("wait", done.stdout.strip()[:13])
    assert waited.returncode == 0, waited.stderr
    assert "protected OS::Cinder::Volume volume-1" in waited.stdout
    wait_until(lambda: shell.json("queue") == {"queues": []})
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(LONG) == 0
    assert worker.stderr is not None
    assert "hands back 0 operations" in worker.stderr.read()


def test_page_is_a_session(
    shell: Shell, worker: "subprocess.Popen[str]", marked_blocks: list[Block]
) -> None:
    (block,) = marked_blocks
    script = ["bash", "-e", "-c", block.text]
    done = subprocess.run(script, env=shell.environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert str(worker.pid) in done.stdout
    assert "protected" in done.stdout


def test_detached_operation_is_shown_as_waiting_and_as_held(shell: Shell, url: str) -> None:
    shell.configure(url)
    document = shell.json(*PROTECT, "--detach")
    assert document["state"] == "planned"
    waiting = [{"queue": "mine", "waiting": 1, "held": 0}]
    assert shell.json("queue") == {"queues": waiting}
    assert shell.json("workers") == {"workers": [], "queues": waiting}
    shown = shell.run("workers").stdout
    assert "no workers" in shown
    assert "1 operations wait in queue mine, which no worker serves" in shown


def test_wait_ends_at_its_timeout_and_the_operation_goes_on(shell: Shell, url: str) -> None:
    shell.configure(url)
    operation = shell.json(*PROTECT, "--detach")["id"]
    waited = shell.run("wait", operation, "--timeout", "0.1")
    assert (waited.returncode, waited.stdout) == (1, "")
    assert "is not over after" in waited.stderr


def test_workers_names_limits_that_differ(
    shell: Shell, url: str, worker: "subprocess.Popen[str]"
) -> None:
    assert "different limits" not in shell.run("workers").stdout
    first = shell.json("workers")["workers"][0]["id"]
    shell.configure(url, "limits = { mine = 4 }")
    with run_workers([PROGRAM, "worker"], shell.environ, 1):
        wait_until(lambda: len(shell.json("workers")["workers"]) == 2)
        shown = shell.run("workers").stdout
        second = shell.json("workers")["workers"][1]["id"]
    assert (
        f"different limits of mine (worker {first}: none, worker {second}: 4): 4 holds for all"
    ) in shown
    assert worker.poll() is None


def test_workers_lists_who_lives(shell: Shell, url: str, worker: "subprocess.Popen[str]") -> None:
    (shown,) = shell.json("workers")["workers"]
    assert (shown["pid"], shown["hold"], shown["queues"]) == (worker.pid, 5, ["mine"])
    assert shown["alive"]
    worker.kill()
    worker.wait(LONG)
    shell.configure(url, "dead_after = 1")
    wait_until(lambda: not shell.json("workers")["workers"][0]["alive"])
    assert ": dead" in shell.run("workers").stdout


@pytest.mark.parametrize(
    "arguments", [("worker",), ("workers",), ("queue",), ("queue", "--upgrade")]
)
def test_sqlite_is_refused(shell: Shell, arguments: tuple[str, ...]) -> None:
    shell.configure(f"sqlite:///{shell.folder / 'store.db'}")
    done = shell.run(*arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "PostgreSQL" in done.stderr


def test_detach_with_sqlite_is_refused_before_anything_is_stored(shell: Shell) -> None:
    database = shell.folder / "store.db"
    shell.configure(f"sqlite:///{database}")
    done = shell.run(*PROTECT, "--detach")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert not database.exists()


@pytest.mark.parametrize(
    ("arguments", "more", "message"),
    [
        (("--queues", "mind"), "", "did you mean 'mine'?"),
        (("--queues", ""), "", "no backend ''"),
        (("--hold", "0"), "", "--hold"),
        ((), "limits = { mind = 3 }", "workers.limits"),
    ],
)
def test_wrong_input_of_a_worker_is_refused(
    shell: Shell, url: str, arguments: tuple[str, ...], more: str, message: str
) -> None:
    shell.configure(url, more)
    done = shell.run("worker", *arguments)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert message in done.stderr


def test_queue_that_is_not_there_is_not_created_to_be_shown(shell: Shell, url: str) -> None:
    shell.configure(url)
    for command in ("workers", "queue"):
        done = shell.run(command)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert "there is no queue yet" in done.stderr


def test_password_of_the_queue_is_in_no_message(shell: Shell, url: str) -> None:
    shell.configure(url, 'queue_url = "postgresql://u:canary-4711@127.0.0.1:1/none"')
    for arguments in (("worker",), ("worker", "--debug"), (*PROTECT, "--detach")):
        done = shell.run(*arguments)
        assert done.returncode == 1
        assert "the queue cannot be used" in done.stderr
        assert "canary" not in done.stdout + done.stderr
