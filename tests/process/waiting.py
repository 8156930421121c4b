"""Waiting for the processes of a job, without looking again and again."""

import fcntl
import os
import struct

from karbor_backup_process import JobStatus, ProcessJob


def wait_for_end(job: ProcessJob) -> JobStatus:
    """Return the status of a job whose processes have all ended: none holds its lock any more."""
    request = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
    with (job.directory / "lock").open("r+b") as lock:
        fcntl.fcntl(lock, fcntl.F_OFD_SETLKW, request)
    return job.read_status()
