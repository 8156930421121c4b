"""Why a directory's archive lacks something, as far as the directory itself still tells."""

import os
import stat
from collections.abc import Iterator

import attrs

from karbor_backup_freezer.inspection.contents import ArchiveContents


def explain_missing(contents: ArchiveContents, folder: str, begun_at: int) -> ArchiveContents:
    """Return what an archive lacks, with the reason behind each name that is told.

    Args:
        contents: what was seen of the archive.
        folder: the directory, on this host.
        begun_at: when the agent began, in seconds since 1970 by this host's clock.
    """
    return attrs.evolve(contents, reasons=tuple(_reasons(contents, folder, begun_at)))


def _reasons(contents: ArchiveContents, folder: str, begun_at: int) -> Iterator[str]:
    for name in contents.missing:
        try:
            found = os.lstat(os.path.join(folder, name))  # noqa: PTH118 - the name may be of any bytes
        except FileNotFoundError:
            yield "gone by now"
        except OSError:
            yield ""
        else:
            yield _reason(found, begun_at)


def _reason(found: os.stat_result, begun_at: int) -> str:
    if stat.S_ISSOCK(found.st_mode):
        return "a socket, which tar does not store"
    if found.st_ctime >= begun_at:
        return "changed while or after it was stored"
    return "could not be read by the agent"
