"""What the backend does for each verb, step by step.

``workflow`` has the order of the steps, ``steps`` one class for each. What the steps use:

- ``step``: what all of them are. ``context``: what all of them need.
- ``submission``: the job of an operation. ``job_release``, ``protect_rollback``: its removal.
- ``placement``, ``reassignment``: which scheduler runs a job, at first and later.
- ``polling``: the jobs of all operations of a poll.
- ``results``: how a protect ends.
"""
