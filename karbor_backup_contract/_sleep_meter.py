"""An extension that measures for how long a backend's hooks sleep."""

import sys
import time
from types import FrameType
from typing import Any

from karbor_backup_core import hookimpl


class SleepMeter:
    """Counts the seconds for which each call of a hook sleeps or waits for another thread.

    Attributes:
        slept: the seconds of each call, by hook.
    """

    def __init__(self) -> None:
        self.slept: dict[str, list[float]] = {}
        self._seconds = self._began = 0.0
        self._profile_before: Any = None

    @hookimpl
    def before_call(self) -> None:
        """Begin to measure."""
        self._seconds = 0.0
        self._profile_before = sys.getprofile()
        sys.setprofile(self._profile)

    @hookimpl
    def after_call(self, hook: str) -> None:
        """Note what was measured."""
        sys.setprofile(self._profile_before)
        self.slept.setdefault(hook, []).append(self._seconds)

    def _profile(self, _frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call" and _sleeps(function):
            self._began = time.monotonic()
        elif event in ("c_return", "c_exception") and _sleeps(function):
            self._seconds += time.monotonic() - self._began


def _sleeps(function: Any) -> bool:
    """Return whether a function of the interpreter lets its thread sleep."""
    if function is time.sleep:
        return True
    owner = type(getattr(function, "__self__", None))
    return owner.__module__ == "_thread" and function.__name__ == "acquire"
