"""The cloud that Freezer protects: Nova, Cinder, Glance and Neutron, through openstacksdk.

- ``services``: the way to all of them.
- ``faults``: what went wrong with a request, in one line.
- ``limits``: whether quotas leave room for what is to be made.
- ``lookups``: what a restore needs, found again.
- ``volume_actions``: what Cinder is asked to do with a volume.
"""
