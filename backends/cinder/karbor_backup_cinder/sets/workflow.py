"""The order of the steps of each verb on sets: it is written here, and nowhere else."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from karbor_backup_cinder.calls import observe_backups
from karbor_backup_cinder.sets.context import SetCall, SetContext
from karbor_backup_cinder.sets.steps.backups import BackupSet
from karbor_backup_cinder.sets.steps.discovery import Discovery
from karbor_backup_cinder.sets.steps.preflight import Preflight
from karbor_backup_cinder.sets.steps.rebuild import Rebuild
from karbor_backup_cinder.sets.steps.removal import SetRemoval
from karbor_backup_cinder.sets.steps.restorations import Restorations
from karbor_backup_cinder.sets.steps.snapshots import SnapshotSet
from karbor_backup_cinder.sets.steps.system_disks import SystemDisks
from karbor_backup_cinder.sets.steps.verification import SetVerification
from karbor_backup_cinder.sets.steps.volumes import NewVolumes
from karbor_backup_core import Step, Verb, Workflow

STEPS: Final[Mapping[Verb, Sequence[Callable[[SetContext], Step[SetCall]]]]] = {
    Verb.PROTECT: (Discovery, SnapshotSet, SystemDisks, BackupSet),
    Verb.RESTORE: (Preflight, NewVolumes, Restorations, Rebuild),
    Verb.DELETE: (SetRemoval,),
    Verb.VERIFY: (SetVerification,),
}
"""The classes of the steps of each verb, first step first."""


def create_set_workflow(context: SetContext) -> Workflow[SetCall]:
    """Create the workflow of a backend."""
    steps = {verb: [step(context) for step in classes] for verb, classes in STEPS.items()}
    return Workflow(steps, SetCall, functools.partial(observe_backups, context.backups))
