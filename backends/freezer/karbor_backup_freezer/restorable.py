"""What Freezer's agent can bring back: storage kind by type of resource by agent version.

Each verdict was seen with a real agent on real servers, byte by byte; ``docs/freezer.md`` shows
the table to operators, and tests against the real agent notice when a broken kind is mended.
"""

from collections.abc import Iterable
from typing import Final

import attrs

from karbor_backup_core import Check
from karbor_backup_freezer.pieces import Mode, Piece
from karbor_backup_freezer.resources import DIRECTORY, IMAGE, PROJECT, SERVER, VOLUME
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


RESTORABLE: Final = "restorable data"
"""The name of the check whether a backup's data comes back."""

_UNREAD: Final = "only a restore reads the data back"

_FINE: Final = Verdict(restorable=True)
_S3: Final = Verdict(
    restorable=False, reason="the agent's backup ends with a TypeError when it puts notes on s3"
)
_S3_VOLUME: Final = Verdict(
    restorable=False, reason="the agent's restore of a volume from s3 ends with a ValueError"
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
        IMAGE: _DATA_PATH,
        VOLUME: {
            Kind.LOCAL: _FINE,
            Kind.SWIFT: _FINE,
            Kind.SSH: _TYPE_ERROR,
            Kind.S3: _S3_VOLUME,
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


def verdict_of(agent_version: str, piece: Piece, kind: Kind) -> Verdict:
    """Say whether that agent brings back a piece; Cinder's own backups are in no storage."""
    return _FINE if piece.mode is Mode.NATIVE else verdict(agent_version, piece.type, kind)


def restorable_check(agent_version: str, pieces: Iterable[Piece], kind: Kind) -> Check:
    """Say what is known of whether the pieces of a backup come back: their bytes are not read."""
    reasons = {verdict_of(agent_version, piece, kind).reason for piece in pieces} - {""}
    return Check(RESTORABLE, verified=False, reason="; ".join(sorted(reasons)) or _UNREAD)


def deletes_data(kind: Kind) -> bool:
    """Whether the agent's removal removes the data: on s3 it says so and removes nothing."""
    return kind is not Kind.S3
