"""The steps of the verbs, one class each; ``workflows.workflow`` has their order.

- protect: ``discovery``, ``backup_job``, ``native_backups``, ``inspection``.
- restore: ``preflight``, ``new_volumes``, ``restore_job``, ``rebuild``.
- delete: ``delete_job``, ``native_removal``, ``record_removal``.
- verify: ``verification``.
- ``job``: what the steps that have a job of Freezer share.
"""
