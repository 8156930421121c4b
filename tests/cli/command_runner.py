"""The command on a fake cloud of this process, for tests that talk to both."""

import json
from pathlib import Path
from typing import Any

import attrs
from click.testing import Result

from karbor_backup_core.stores.sql import SQLStore
from karbor_backup_fake import FakeCloud
from tests.cli.invoke import invoke_program

VOLUME = ("OS::Cinder::Volume", "volume-1")


@attrs.frozen
class CommandRunner:
    """The command, configured to use a fake cloud that lives in this process.

    Attributes:
        config: the configuration file.
        database: the store's file.
        cloud: the fake cloud.
        opened: the stores that were opened, which the fixture closes.
    """

    config: Path
    database: Path
    cloud: FakeCloud
    opened_stores: list[SQLStore] = attrs.field(factory=list)

    def __call__(self, *arguments: str, stdin: str | None = None) -> Result:
        return invoke_program(*arguments, stdin=stdin)

    def json(self, *arguments: str, status: int = 0) -> Any:
        """Run it with ``--json``; it must end with that status."""
        result = self(*arguments, "--json")
        assert result.exit_code == status, result.stderr
        return json.loads(result.stdout)

    def protect(self) -> str:
        """Protect a volume; answer the backup's id."""
        return str(self.json("protect", *VOLUME, "-o", "backup_name=one")["id"])

    def open_store(self) -> SQLStore:
        self.opened_stores.append(SQLStore(f"sqlite:///{self.database}"))
        return self.opened_stores[-1]
