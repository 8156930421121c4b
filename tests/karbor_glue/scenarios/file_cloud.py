"""A fake cloud that outlives the process: its state is in a file, written after each request."""

import fcntl
import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from karbor_backup_fake import FakeBackend, FakeCloud, seed_cloud

_STATE = ("inventory", "started", "orphans", "_jobs", "_fences")


class FileCloud:
    """A cloud of which every process sees the same.

    Attributes:
        gate: called with "<request> asked" and "<request> done".
    """

    gate: ClassVar[Callable[[str], None]] = staticmethod(lambda _: None)

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self.service_seconds = 0.0
        self.work_limit = None
        self._path = path

    def __getattr__(self, name: str) -> Any:
        def ask(*arguments: Any) -> Any:
            FileCloud.gate(f"{name} asked")
            with self._path.open("a+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                cloud = self._read_state()
                answer = getattr(cloud, name)(*arguments)
                state = {each: getattr(cloud, each) for each in _STATE}
                draft = self._path.with_suffix(".draft")
                draft.write_bytes(pickle.dumps(state))
                draft.replace(self._path)
            FileCloud.gate(f"{name} done")
            return answer

        return ask

    @property
    def inventory(self) -> Any:
        """What the cloud holds now."""
        return self._read_state().inventory

    def load(self) -> FakeCloud:
        """Return the cloud as it is now, to be looked at."""
        return self._read_state()

    def _read_state(self) -> FakeCloud:
        cloud = seed_cloud(FakeCloud(self.name))
        cloud.service_seconds = self.service_seconds
        content = self._path.read_bytes()
        for name, value in (pickle.loads(content) if content else {}).items():  # noqa: S301 - ours
            setattr(cloud, name, value)
        return cloud


class FileCloudBackend(FakeBackend):
    """The fake backend on a cloud in a file."""

    CONFIG_SCHEMA: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {"path": {"type": "string"}},
        "required": ["path"],
    }

    def __init__(self, configuration: Mapping[str, Any]) -> None:
        super().__init__({}, cloud=FileCloud(Path(configuration["path"])))  # type: ignore[arg-type]
