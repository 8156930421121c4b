"""An agent's part: what ``freezer-agent`` 19.0.0 stores, brings back and removes.

Directories and storages are folders of this machine, laid out as a real agent does it. Volumes,
servers, projects and images are those of a scripted cloud.
"""

from sandbox.scripted_agent.agent import ScriptedAgent, as_read
from sandbox.scripted_agent.modes import AgentError

__all__ = ["AgentError", "ScriptedAgent", "as_read"]
