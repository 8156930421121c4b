"""Freezer's API v2: credentials, requests, and what the API tells of jobs and schedulers.

- ``connection``, ``session``, ``credentials``, ``clouds_yaml``, ``catalog``, ``proxies``: which
  Freezer, and how requests reach it.
- ``client``: what the backend asks of Freezer, as a protocol. ``http_client``: the requests.
- ``errors``: what went wrong with a request.
- ``jobs``, ``records``, ``schedulers``: documents of the API.
- ``job_status``: how many jobs stand, with few requests. ``job_cache``: jobs that have ended.
- ``cleanup``: removal of jobs, actions and records.
"""
