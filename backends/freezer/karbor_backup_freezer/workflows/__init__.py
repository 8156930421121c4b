"""What the backend does for each verb, step by step.

A verb takes one step in each of its phases; the receipt tells which one came last.

- ``protect``: discovery, job, Cinder's own backups, inspection of the data.
- ``restore``: preflight, what the job restores into, job, restore of the resources.
- ``delete``: job, Cinder's own backups, records.
- ``verify``: inspection of the data.
- ``context``: what all of them need. ``submission``: the job of an operation.
- ``placement``, ``reassignment``: which scheduler runs a job, at first and later.
- ``polling``, ``status``: how the current step of an operation stands.
- ``release``, ``protect_rollback``: removal of what an operation leaves.
- ``results``: how a protect ends.
"""
