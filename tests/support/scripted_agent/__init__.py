"""An agent's part: what ``freezer-agent`` 19.0.0 stores, brings back and removes.

Directories and storages are folders of this machine, laid out as a real agent does it. Volumes,
servers, projects and images are those of a scripted cloud.
"""

from tests.support.scripted_agent.agent import ScriptedAgent, parse_action
from tests.support.scripted_agent.modes import AgentError

__all__ = ["AgentError", "ScriptedAgent", "parse_action"]
