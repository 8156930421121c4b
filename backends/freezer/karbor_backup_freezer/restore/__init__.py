"""What a restore makes of what Freezer's agent brought back.

The agent restores bytes: into a volume of the default type with a name of its own, or into an
image and a server made of it by halves. Nothing tells their ids. Here they are found, completed
by what the discovery recorded, made into servers, and named; or all of it is removed again.

- ``restorer``: the parts of a restore; each may be repeated, since it looks before it makes.
- ``volumes`` and ``zones``, ``server_images``, ``images``: one kind of member each.
- ``preflight``: whether the cloud has what is needed.
- ``context``: what a call has before it. ``unproven_volumes``: what may have been made.

What knows nothing of Freezer is in ``karbor_backup_openstack.restore``.
"""

from karbor_backup_freezer.restore.restorer import ResourceRestorer, makes_volumes

__all__ = ["ResourceRestorer", "makes_volumes"]
