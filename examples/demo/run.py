"""From the first server up to the last one down, however the demonstration ends."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from filelock import FileLock, Timeout

from examples.demo.console import CommandError, DemoConsole
from examples.demo.sample_tree import remove_tree
from examples.demo.steps import Demo, MismatchError
from sandbox.cloud import Sandbox
from sandbox.errors import SandboxError
from sandbox.layout import Project

ROOT: Final = Path(__file__).parents[2]

_EXIT_INTERRUPTED: Final = 130


def run_demo(instance: str, work: Path) -> int:
    """Run the demonstration and return its exit status; nothing is left running.

    Nothing is touched while another process runs it in the same checkout under the same name.

    Args:
        instance: the sandbox's name.
        work: the directory for data, configuration and store; what is in it is removed.
    """
    signal.signal(signal.SIGTERM, _exit_on_signal)
    console = DemoConsole(Path(sys.executable).parent)
    try:
        with _only_one(instance):
            _run_in_sandbox(console, instance, work)
    except KeyboardInterrupt:
        console.print_text("Interrupted. Everything that was started has been stopped.")
        return _EXIT_INTERRUPTED
    except (CommandError, MismatchError, SandboxError) as error:
        console.print_text(f"FAILED: {error}")
        return 1
    return 0


@contextmanager
def _only_one(instance: str) -> Iterator[None]:
    """Keep other processes from the same demonstration in the same checkout.

    Raises:
        SandboxError: one runs already.
    """
    path = Project(ROOT).sandboxes / f".{instance}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(path, timeout=0):
            yield
    except Timeout:
        raise SandboxError(
            f"another demonstration is running in {ROOT}: wait until it has ended, or run this one "
            "in another clone"
        ) from None


def _run_in_sandbox(console: DemoConsole, instance: str, work: Path) -> None:
    with console.step("A cloud of its own: a real Keystone and a real Freezer, on loopback"):
        sandbox = Sandbox.up(ROOT, instance=instance, report=console.print_text)
        if not sandbox.is_new:
            raise SandboxError(
                f"a sandbox {instance!r} is up already: take it down with python -m sandbox down "
                f"--instance {instance}"
            )
    demo = Demo(sandbox, console, work)
    keep = False
    try:
        demo.reset()
        demo.run()
    except (CommandError, MismatchError):
        keep = True
        raise
    finally:
        with console.step("Stop everything"):
            _stop_all(demo, keep=keep)
    console.console.print()
    console.print_times()
    console.print_text("Lost, and brought back byte for byte; and nothing was left behind.")


def _stop_all(demo: Demo, *, keep: bool) -> None:
    demo.sandbox.down(keep_logs=keep)
    if keep:
        demo.console.print_text(f"Servers stopped. Their logs: {demo.sandbox.logs}")
        demo.console.print_text(f"The data, as it is now: {demo.work}")
    else:
        remove_tree(demo.work)
        demo.console.print_text("Servers stopped, data removed.")


def _exit_on_signal(signum: int, _: FrameType | None) -> NoReturn:
    sys.exit(128 + signum)
