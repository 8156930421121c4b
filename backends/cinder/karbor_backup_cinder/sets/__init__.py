"""Servers and projects: several disks, which are snapshotted together before they are copied.

- ``model``: receipt and handle. ``members``: what of a backup can be restored alone.
- ``discovery``: what a protect covers, and whether it can be protected now.
- ``context``: what the steps need. ``workflow``: their order. ``steps``: one class each.
- ``snapshots``, ``images``: what is made of disks for a while, and of those that no volume holds.

A backup of a volume alone has steps of its own, in ``karbor_backup_cinder.steps``.
"""
