"""What a scheduler that does not run as root cannot bring back."""

import pwd
from collections.abc import Sequence

from karbor_backup_core import Check
from karbor_backup_freezer.directories import hosts
from karbor_backup_freezer.directories.processes import find_processes, find_scheduler_process


def ownership_checks(client_id: str, hostname: str) -> Sequence[Check]:
    """Return what the user of a scheduler on this host cannot restore; nothing for root.

    Seen with freezer-agent 19.0.0, whose tar runs as the scheduler's user: of another user's files
    the owner is not set, and the modes are those of the backup without the umask's bits.

    Args:
        client_id: of the scheduler.
        hostname: of its host, as it registered it.
    """
    if not hosts.is_local_host(hostname):
        return (_unknown_ownership(f"scheduler {client_id!r} is on host {hostname!r}"),)
    program = find_scheduler_process(client_id, find_processes())
    if program is None:
        return (_unknown_ownership(f"no process here is surely that of scheduler {client_id!r}"),)
    if program.uid == 0:
        return ()
    reason = (
        f"owners cannot be restored by a scheduler that runs as {_describe_user(program.uid)}: "
        "what it restores belongs to that user"
    )
    checks = [Check("owners", verified=False, reason=reason)]
    if program.umask is None or program.umask != 0:
        umask = "an unknown umask" if program.umask is None else f"umask {program.umask:03o}"
        checks.append(
            Check(
                "modes",
                verified=False,
                reason=f"modes are restored under {umask} of a scheduler that runs as "
                f"{_describe_user(program.uid)}: the bits in it are lost",
            )
        )
    return tuple(checks)


def _unknown_ownership(why: str) -> Check:
    reason = f"not visible from here: {why}; one that does not run as root loses owners and modes"
    return Check("owners", verified=False, reason=reason)


def _describe_user(uid: int) -> str:
    try:
        return f"{pwd.getpwuid(uid).pw_name!r}"
    except KeyError:
        return f"user id {uid}"
