"""What a protect of a resource covers, and whether it can be protected as it stands now.

- ``discoverer``: the discovery of one resource from beginning to end.
- ``items``: the item of each kind of resource. ``projects``: everything of a project.
- ``states``: in which states Freezer's agent can back a volume up.
- ``name_limits``, ``protect_quotas``: what the agent's own resources need.

What is written down of servers and volumes is in ``karbor_backup_openstack.discovery``.
"""

from karbor_backup_freezer.discovery.discoverer import Discoverer

__all__ = ["Discoverer"]
