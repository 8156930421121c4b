"""The agent: does what an action says, in the mode that the action selects."""

import configparser
import io
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import attrs
from werkzeug.exceptions import HTTPException

from tests.support.scripted_agent.directories import DirectoryMode
from tests.support.scripted_agent.images import ImageMode
from tests.support.scripted_agent.modes import AgentError, AgentHost, AgentMode
from tests.support.scripted_agent.servers import ProjectMode, ServerMode
from tests.support.scripted_agent.volumes import NativeVolumeMode, VolumeMode
from tests.support.scripted_cloud.state import CloudState

VERSION: Final = "19.0.0"


def parse_action(action: Mapping[str, Any]) -> dict[str, str]:
    """Return an action as an agent reads it, out of the ini file that a scheduler writes.

    Raises:
        ValueError: the scheduler cannot write it; in a real one a thread ends there, for ever.
    """
    written = configparser.ConfigParser()
    written.add_section("action")
    for field, value in action.items():
        if value is not None:
            written.set("action", field, str(value))
    text = io.StringIO()
    written.write(text)
    read = configparser.ConfigParser()
    read.read_string(text.getvalue())
    return dict(read["action"])


@attrs.frozen
class ScriptedAgent:
    """Does what actions say.

    Attributes:
        storage: the folder of the containers on storages that are not local.
        hostname: the host's name, for actions that give none.
        state: what there is in the cloud; without one it knows directories only.
        project: the id of the project that it works for in the cloud.
    """

    storage: Path
    hostname: str
    state: CloudState | None = None
    project: str = ""

    def back_up(self, action: Mapping[str, str], *, whole: bool = True) -> dict[str, Any]:
        """Store a resource.

        Args:
            action: as it was read.
            whole: whether the backup is finished, or left half done.

        Returns:
            What a real agent prints, which becomes Freezer's record of the backup.

        Raises:
            AgentError: it cannot be done.
        """
        printed = self._run(lambda mode: mode.back_up(action, whole=whole), action)
        return {
            **action,
            "hostname": action.get("hostname", self.hostname),
            "client_version": VERSION,
            "curr_backup_level": 0,
            "time_stamp": int(time.time()),
            **printed,
        }

    def restore(self, action: Mapping[str, str], *, whole: bool = True) -> None:
        """Bring the newest backup back; arguments and errors are as for a backup."""
        self._run(lambda mode: mode.restore(action, whole=whole), action)

    def remove(self, action: Mapping[str, str]) -> None:
        """Remove what was stored, as far as a real agent sees it; errors are as for a backup."""
        self._run(lambda mode: mode.remove(action), action)

    def _run(self, do: Callable[[AgentMode], Any], action: Mapping[str, str]) -> Any:
        if self.state is None:
            return do(self._select_mode(action))
        with self.state.lock:
            self.state.run_due()
            try:
                return do(self._select_mode(action))
            except HTTPException as error:
                raise AgentError(error.description) from error

    def _select_mode(self, action: Mapping[str, str]) -> AgentMode:
        """Return the mode that an action selects: the ids do, and of two modes the engine too."""
        host = AgentHost(self.hostname, self.storage)
        engine = action.get("engine_name")
        if self.state is None:
            return DirectoryMode(host)
        if "cinder_vol_id" in action:
            return VolumeMode(host, self.state, self.project)
        if "cindernative_vol_id" in action:
            return NativeVolumeMode(self.state, self.project)
        if engine == "nova" and "project_id" in action:
            return ProjectMode(ServerMode(host, self.state, self.project))
        if engine == "nova" and "nova_inst_id" in action:
            return ServerMode(host, self.state, self.project)
        if engine == "glance" and "glance_image_id" in action:
            return ImageMode(host, self.state, self.project)
        return DirectoryMode(host)
