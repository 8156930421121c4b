"""The order of the steps of each verb: it is written here, and nowhere else."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from karbor_backup_cinder.calls import observe_backups
from karbor_backup_cinder.context import CinderCall, CinderContext
from karbor_backup_cinder.steps.backup import BackupCreation
from karbor_backup_cinder.steps.completion import Completion
from karbor_backup_cinder.steps.removal import BackupRemoval
from karbor_backup_cinder.steps.restoration import Restoration
from karbor_backup_cinder.steps.target import TargetVolume
from karbor_backup_cinder.steps.verification import Verification
from karbor_backup_core import Step, Verb, Workflow

STEPS: Final[Mapping[Verb, Sequence[Callable[[CinderContext], Step[CinderCall]]]]] = {
    Verb.PROTECT: (BackupCreation,),
    Verb.RESTORE: (TargetVolume, Restoration, Completion),
    Verb.DELETE: (BackupRemoval,),
    Verb.VERIFY: (Verification,),
}
"""The classes of the steps of each verb, first step first."""


def create_workflow(context: CinderContext) -> Workflow[CinderCall]:
    """Create the workflow of a backend."""
    steps = {verb: [step(context) for step in classes] for verb, classes in STEPS.items()}
    return Workflow(steps, CinderCall, functools.partial(observe_backups, context.backups))
