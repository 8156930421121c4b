"""What the backend does for each verb, step by step.

A verb takes one step in each of its phases; the receipt tells which one came last.

- ``protect``: survey, job, Cinder's own backups, a look at the data.
- ``restore``: preflight, what the job restores into, job, rebuild.
- ``delete``: job, Cinder's own backups, records.
- ``verify``: one look.
- ``work``: what all of them need; ``jobs``: the job of an operation.
- ``results``: how a protect ends. ``looking``: how a step that goes on outside stands.
"""
