"""Freezer's API v2: requests, and what the API tells of jobs and schedulers.

- ``client``: what the backend asks of Freezer, as a protocol. ``http_client``: the requests.
- ``errors``: what is wrong with an answer.
- ``jobs``, ``records``, ``schedulers``: documents of the API.
- ``job_status``: how many jobs stand, with few requests. ``job_cache``: jobs that have ended.
- ``cleanup``: removal of jobs, actions and records.
"""
