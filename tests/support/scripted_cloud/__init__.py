"""A scripted cloud: the APIs of Cinder, Nova, Glance and Neutron that the backends use.

No disk, guest or packet is behind it; its answers were copied from the real services. With it the
rules of the contract run on a simulated clock. The real services, those of
`python -m sandbox up --cloud`, decide what is true of servers and volumes.

- `state`: the resources, in memory, and their changes as time passes.
- `defaults`: the resources that every cloud has.
- `block_storage`, `volume_backups`, `images`, `compute`: operations on volumes, Cinder's backups,
  images and servers, for all callers.
- `cinder`, `nova`, `glance`, `neutron`: the APIs.
- `api_call`, `tokens`, `application`, `server`: from a request to its handler.

`tests.support.scripted_agent` is the agent of Freezer that works in it.
"""

from tests.support.scripted_cloud.server import ScriptedCloud
from tests.support.scripted_cloud.state import CloudState, FakeResource, WorkOutcome

__all__ = ["CloudState", "FakeResource", "ScriptedCloud", "WorkOutcome"]
