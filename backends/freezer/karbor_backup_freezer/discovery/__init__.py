"""What a protect of a resource covers, and whether it can be protected as it stands now.

- ``discoverer``: the discovery of one resource from beginning to end.
- ``get_backups``: in which states Freezer's agent can back something up.
- ``volumes``, ``servers``, ``networks``, ``images``, ``flavors``: what is noted of each.
- ``projects``: everything of a project.
- ``name_limits``, ``protect_quotas``: what the agent's own resources need.
"""

from karbor_backup_freezer.discovery.discoverer import Discoverer

__all__ = ["Discoverer"]
