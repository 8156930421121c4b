"""From the first server up to the last one down, however the story ends."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

from filelock import FileLock, Timeout

from sandbox.cloud import Sandbox
from sandbox.demo.narrator import CommandError, Narrator
from sandbox.demo.story import MismatchError, Story
from sandbox.demo.tree import remove_tree
from sandbox.errors import SandboxError
from sandbox.layout import Project

ROOT: Final = Path(__file__).parents[2]

_INTERRUPTED: Final = 130


def demonstrate(instance: str, work: Path) -> int:
    """Tell the story, and leave nothing running however it ends; return the exit status.

    Nothing is touched while another process tells it in the same checkout under the same name.

    Args:
        instance: the sandbox's name.
        work: the directory for data, configuration and store; what is in it is removed.
    """
    signal.signal(signal.SIGTERM, _terminate)
    narrator = Narrator(Path(sys.executable).parent)
    try:
        with _only_one(instance):
            _tell(narrator, instance, work)
    except KeyboardInterrupt:
        narrator.say("Interrupted. Everything that was started has been stopped.")
        return _INTERRUPTED
    except (CommandError, MismatchError, SandboxError) as error:
        narrator.say(f"FAILED: {error}")
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


def _tell(narrator: Narrator, instance: str, work: Path) -> None:
    with narrator.step("A cloud of its own: a real Keystone and a real Freezer, on loopback"):
        sandbox = Sandbox.up(ROOT, instance=instance, report=narrator.say)
        if not sandbox.is_new:
            raise SandboxError(
                f"a sandbox {instance!r} is up already: take it down with python -m sandbox down "
                f"--instance {instance}"
            )
    story = Story(sandbox, narrator, work)
    keep = False
    try:
        story.clear()
        story.tell()
    except (CommandError, MismatchError):
        keep = True
        raise
    finally:
        with narrator.step("Stop everything"):
            _stop(story, keep=keep)
    narrator.console.print()
    narrator.show_times()
    narrator.say("Lost, and brought back byte for byte; and nothing was left behind.")


def _stop(story: Story, *, keep: bool) -> None:
    story.sandbox.down(keep_logs=keep)
    if keep:
        story.narrator.say(f"Servers stopped. Their logs: {story.sandbox.logs}")
        story.narrator.say(f"The data, as it is now: {story.work}")
    else:
        remove_tree(story.work)
        story.narrator.say("Servers stopped, data removed.")


def _terminate(signum: int, _: FrameType | None) -> NoReturn:
    sys.exit(128 + signum)
