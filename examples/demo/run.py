"""From the first server up to the last one down, however the story ends."""

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
    """Tell the story, and leave nothing running however it ends; return the exit status.

    Nothing is touched while another process tells it in the same checkout under the same name.

    Args:
        instance: the sandbox's name.
        work: the directory for data, configuration and store; what is in it is removed.
    """
    signal.signal(signal.SIGTERM, _exit_on_signal)
    narrator = DemoConsole(Path(sys.executable).parent)
    try:
        with _only_one(instance):
            _run_in_sandbox(narrator, instance, work)
    except KeyboardInterrupt:
        narrator.print_text("Interrupted. Everything that was started has been stopped.")
        return _EXIT_INTERRUPTED
    except (CommandError, MismatchError, SandboxError) as error:
        narrator.print_text(f"FAILED: {error}")
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


def _run_in_sandbox(narrator: DemoConsole, instance: str, work: Path) -> None:
    with narrator.step("A cloud of its own: a real Keystone and a real Freezer, on loopback"):
        sandbox = Sandbox.up(ROOT, instance=instance, report=narrator.print_text)
        if not sandbox.is_new:
            raise SandboxError(
                f"a sandbox {instance!r} is up already: take it down with python -m sandbox down "
                f"--instance {instance}"
            )
    story = Demo(sandbox, narrator, work)
    keep = False
    try:
        story.reset()
        story.run()
    except (CommandError, MismatchError):
        keep = True
        raise
    finally:
        with narrator.step("Stop everything"):
            _stop_all(story, keep=keep)
    narrator.console.print()
    narrator.print_times()
    narrator.print_text("Lost, and brought back byte for byte; and nothing was left behind.")


def _stop_all(story: Demo, *, keep: bool) -> None:
    story.sandbox.down(keep_logs=keep)
    if keep:
        story.console.print_text(f"Servers stopped. Their logs: {story.sandbox.logs}")
        story.console.print_text(f"The data, as it is now: {story.work}")
    else:
        remove_tree(story.work)
        story.console.print_text("Servers stopped, data removed.")


def _exit_on_signal(signum: int, _: FrameType | None) -> NoReturn:
    sys.exit(128 + signum)
