"""What a protect of a resource covers, and whether it can be protected as it stands now.

- ``surveyor``: one survey from beginning to end.
- ``states``: in which states Freezer's agent can back something up.
- ``volumes``, ``servers``, ``networks``, ``images``: what is written down of each.
- ``projects``: everything of a project.
- ``quotas``: what the agent's temporary volumes need.
"""

from karbor_backup_freezer.survey.surveyor import Surveyor

__all__ = ["Surveyor"]
