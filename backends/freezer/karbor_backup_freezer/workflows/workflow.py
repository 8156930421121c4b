"""The order of the steps of each verb: it is written here, and nowhere else."""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from karbor_backup_core import Verb, Workflow
from karbor_backup_freezer.workflows.context import WorkflowContext
from karbor_backup_freezer.workflows.polling import JobPoller
from karbor_backup_freezer.workflows.step import FreezerCall, FreezerStep
from karbor_backup_freezer.workflows.steps.backup_job import BackupJob
from karbor_backup_freezer.workflows.steps.delete_job import DeleteJob
from karbor_backup_freezer.workflows.steps.discovery import Discovery
from karbor_backup_freezer.workflows.steps.inspection import Inspection
from karbor_backup_freezer.workflows.steps.native_backups import NativeBackups
from karbor_backup_freezer.workflows.steps.native_removal import NativeRemoval
from karbor_backup_freezer.workflows.steps.new_volumes import NewVolumes
from karbor_backup_freezer.workflows.steps.preflight import PreflightChecks
from karbor_backup_freezer.workflows.steps.rebuild import Rebuild
from karbor_backup_freezer.workflows.steps.record_removal import RecordRemoval
from karbor_backup_freezer.workflows.steps.restore_job import RestoreJob
from karbor_backup_freezer.workflows.steps.verification import Verification

Steps: TypeAlias = Mapping[Verb, Sequence[type[FreezerStep]]]

STEPS: Final[Steps] = {
    Verb.PROTECT: (Discovery, BackupJob, NativeBackups, Inspection),
    Verb.RESTORE: (PreflightChecks, NewVolumes, RestoreJob, Rebuild),
    Verb.DELETE: (DeleteJob, NativeRemoval, RecordRemoval),
    Verb.VERIFY: (Verification,),
}
"""The steps of each verb, first step first."""


def create_workflow(context: WorkflowContext, steps: Steps = STEPS) -> Workflow[FreezerCall]:
    """Create the workflow of a backend.

    Args:
        context: what the steps need.
        steps: by verb, in their order.
    """
    created = {verb: [step(context) for step in classes] for verb, classes in steps.items()}
    return Workflow(created, FreezerCall, JobPoller(context).observe)
