"""What a Freezer still keeps, asked of its own API and looked for on its storage."""

from pathlib import Path
from typing import Final

import attrs
from keystoneauth1.session import Session

_COLLECTIONS: Final = ("jobs", "actions", "backups")


@attrs.frozen
class FreezerContents:
    """What is left.

    Attributes:
        listed: how many jobs, actions and backup records the API lists.
        files: how many files are on the storage; empty folders are not counted.
    """

    listed: dict[str, int]
    files: int

    @property
    def none(self) -> bool:
        """Whether nothing is left."""
        return not self.files and not any(self.listed.values())


def read_contents(session: Session, freezer_url: str, storage: Path) -> FreezerContents:
    """Ask Freezer what it holds of the session's project, and look on its storage.

    Raises:
        keystoneauth1.exceptions.ClientException: Freezer does not answer.
    """
    project = f"{freezer_url}/v2/{session.get_project_id()}"
    listed = {
        name: len(session.get(f"{project}/{name}", params={"limit": 1000}).json()[name])
        for name in _COLLECTIONS
    }
    files = sum(1 for path in storage.rglob("*") if not path.is_dir())
    return FreezerContents(listed, files)
