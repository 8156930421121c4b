"""What a restore makes of what Freezer's agent brought back.

The agent restores bytes: into a volume of the default type with a name of its own, or into an
image and a server made of it by halves. Nothing tells their ids. Here they are found, completed
by what the discovery recorded, made into servers, and named; or all of it is removed again.

- ``restorer``: the parts of a restore; each may be repeated, since it looks before it makes.
- ``volumes`` and ``zones``, ``servers``, ``server_images`` and ``networks``,
  ``images``: one kind of member each.
- ``preflight``: whether the cloud has what is needed. ``names``: names and marks.
- ``context``: what a call has before it. ``state``: what is kept between calls.
- ``creation``: what was just made, looked at again. ``rollback``: removal of what was made.
"""

from karbor_backup_freezer.restore.restorer import ResourceRestorer, makes_volumes
from karbor_backup_freezer.restore.state import StepResult

__all__ = ["ResourceRestorer", "StepResult", "makes_volumes"]
