"""The cloud that Freezer protects: Nova, Cinder, Glance and Neutron, through openstacksdk.

- ``services``: one connection to all of them.
- ``errors``: what went wrong with a request, in one line.
- ``quotas``: whether quotas leave room for what is to be made.
- ``lookups``: what a restore needs, found again.
- ``resources``, ``temporary_resources``: servers, volumes, snapshots and images, and their removal.
- ``native_backups``: Cinder's own backups.
- ``volume_actions``: what Cinder is asked to do with a volume.
"""
