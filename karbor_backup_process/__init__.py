"""Jobs of local processes, for backends whose service is a program of this machine.

A backend of restic, borg or ``pg_dump`` starts a program that works for hours, and that goes on
when the process that started it dies. This package holds what all such backends need:

- the directory of a job is its claim: it is made once, under the id of the operation and the
  number of its phase, so that whoever repeats a call finds the work instead of starting it again;
- the program runs in a session of its own under a small supervisor, which writes its exit status
  to a file and stops it on request, at last with SIGKILL;
- whether work still runs is known by a lock that every process of the job inherits: the kernel
  holds it exactly as long as one of them lives, whatever becomes of process ids;
- as many jobs run at once as the backend allows, whichever processes have started them; the others
  are queued;
- what a program must read and nobody else may see, such as a password, goes through a pipe: it is
  in no argument, no environment and no file.

It needs Linux (open file description locks, ``/proc``) and psutil. The directory of the jobs must
be on a local file system that keeps its files when the machine is restarted.
"""

from karbor_backup_process._command import Command, CompletedCommand
from karbor_backup_process._job import Claim, ProcessJob
from karbor_backup_process._jobs import ProcessJobs
from karbor_backup_process._status import JobState, JobStatus

__all__ = [
    "Claim",
    "Command",
    "CompletedCommand",
    "JobState",
    "JobStatus",
    "ProcessJob",
    "ProcessJobs",
]
