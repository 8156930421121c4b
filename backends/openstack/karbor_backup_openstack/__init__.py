"""What the backends of OpenStack's services share: the way to a cloud, and its resources.

- ``configuration``, ``connection``, ``session``, ``credentials``, ``clouds_yaml``, ``catalog``,
  ``proxies``: which cloud and service, and how requests reach it.
- ``services``, ``quiet_session``: openstacksdk's connection to Nova, Cinder, Glance and Neutron.
- ``errors``, ``http_errors``: what went wrong with a request, in one line.
- ``quotas``: whether quotas leave room for what is to be made.
- ``lookups``: what a restore needs, found again.
- ``volumes``, ``volume_actions``: volumes, their states, and what Cinder is asked to do with them.
- ``resources``: servers, volumes, snapshots and images, and their removal.
- ``native_backups``: Cinder's own backups.
- ``discovery``: what is written down of servers and volumes. ``restore``: made again of that.
- ``server_spec``, ``details``, ``documents``, ``formats``, ``resource_types``: the form of that.
- ``metadata``: what is written down of resources, and the marks on those that were made.
- ``libraries``, ``problems``: missing libraries, and refusals with several reasons.
"""
