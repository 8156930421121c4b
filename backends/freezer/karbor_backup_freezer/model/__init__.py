"""The data model: what is backed up, and what receipts and handles keep of it.

- ``items``: what a protect covers. ``modes``: how an action selects it.
- ``receipt``, ``handle``: what is stored. ``validation``: what they may hold.
- ``ids``: ids of jobs and records. ``resource_types``, ``storages``: types and kinds.
"""
