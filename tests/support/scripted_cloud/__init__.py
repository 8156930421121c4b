"""A cloud that plays Cinder, Nova, Glance and Neutron, as far as the Freezer backend asks them.

It is a stage set: no disk, no guest and no packet is behind it, and what it answers was copied from
the real services. By it the contract's rules run at the speed of a clock that is turned. The truth
about servers and volumes is told by the real services of `python -m sandbox up --cloud`.

- `world`: what there is, in memory, and what becomes of it when time goes by.
- `furniture`: what every cloud has.
- `disks`, `images`, `machines`: what is done to volumes, images and servers, whoever asks for it.
- `cinder`, `nova`, `glance`, `neutron`: the APIs.
- `login`, `calls`, `tokens`, `application`, `server`: how a request gets there.

What Freezer's agent does in it is played by `tests.support.scripted_agent`.
"""

from tests.support.scripted_cloud.server import ScriptedCloud
from tests.support.scripted_cloud.state import CloudState, FakeResource

__all__ = ["CloudState", "FakeResource", "ScriptedCloud"]
