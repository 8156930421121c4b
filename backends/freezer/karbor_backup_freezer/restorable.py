"""What Freezer's agent can bring back: storage kind by type of resource by agent version.

Each verdict was seen with a real agent on real servers, byte by byte; ``docs/freezer.md`` shows
the table to operators, and tests against the real agent notice when a broken kind is mended.
"""

from typing import Final

import attrs

from karbor_backup_freezer.resources import DIRECTORY, PROJECT, SERVER, VOLUME
from karbor_backup_freezer.storages import Kind


@attrs.frozen
class Verdict:
    """Whether a restore brings the data back.

    Attributes:
        restorable: it does.
        reason: why it does not; empty otherwise.
    """

    restorable: bool
    reason: str = ""


_FINE: Final = Verdict(restorable=True)
_S3: Final = Verdict(
    restorable=False, reason="uploads to s3 lose the data without an error, and nothing comes back"
)
_FTP_LOOP: Final = Verdict(
    restorable=False, reason="the agent loops for ever when it reads from ftp"
)
_FTPS_ALIKE: Final = Verdict(
    restorable=False, reason="the agent reads ftps with the code that loops for ever on ftp"
)
_TYPE_ERROR: Final = Verdict(
    restorable=False, reason="the agent's restore of a volume ends with a TypeError on this kind"
)

_DATA_PATH: Final = {
    Kind.LOCAL: _FINE,
    Kind.SSH: _FINE,
    Kind.SWIFT: _FINE,
    Kind.S3: _S3,
    Kind.FTP: _FTP_LOOP,
    Kind.FTPS: _FTPS_ALIKE,
}

TABLE: Final = {
    "19.0.0": {
        DIRECTORY: _DATA_PATH | {Kind.FTPS: _FTP_LOOP},
        SERVER: _DATA_PATH,
        PROJECT: _DATA_PATH,
        VOLUME: {
            Kind.LOCAL: _FINE,
            Kind.SWIFT: _FINE,
            Kind.SSH: _TYPE_ERROR,
            Kind.S3: _S3,
            Kind.FTP: _TYPE_ERROR,
            Kind.FTPS: _TYPE_ERROR,
        },
    },
}
"""By agent version, type of resource and storage kind."""

NEWEST: Final = "19.0.0"
"""The newest version that was tried; a version without a row of its own is judged like it."""


def verdict(agent_version: str, resource_type: str, kind: Kind) -> Verdict:
    """Say whether that agent brings back a resource of that type from that kind of storage."""
    return TABLE.get(agent_version, TABLE[NEWEST])[resource_type][kind]


def deletes_data(kind: Kind) -> bool:
    """Whether the agent's removal removes the data: on s3 it says so and removes nothing."""
    return kind is not Kind.S3
