"""A bank of Karbor's that behaves as its Swift bank does, over files.

It gives text back as bytes, says of a missing object what Swift says, and lists late: not what a
resource's section has got, and still what has been removed.
"""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from karbor import exception
from karbor.services.protection.bank_plugin import BankPlugin
from karbor.services.protection.bank_plugins.file_system_bank_plugin import FileSystemBankPlugin

NAME = "late-bank-plugin"


class NotFoundError(Exception):
    """What swiftclient raises."""

    http_status = 404


class LateBankPlugin(BankPlugin):  # type: ignore[misc]  # Karbor is untyped
    """Keeps objects in files, and removed names in one more."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self._files = FileSystemBankPlugin(config)
        self._removed = Path(self._files.file_system_bank_path) / "removed.json"

    def get_owner_id(self, **_: Any) -> Any:
        """Return the id of this bank."""
        return self._files.get_owner_id()

    def update_object(self, key: str, value: Any, **_: Any) -> None:
        """Write an object."""
        self._files.update_object(key, value)

    def get_object(self, key: str, **_: Any) -> Any:
        """Read an object."""
        with self._failing(exception.BankGetObjectFailed, key):
            self._require(key)
        value = self._files.get_object(key)
        return value.encode() if isinstance(value, str) else value

    def delete_object(self, key: str, **_: Any) -> None:
        """Remove an object, which is listed still."""
        with self._failing(exception.BankDeleteObjectFailed, key):
            self._require(key)
        self._removed.write_text(json.dumps([*self._names_removed(), key]))
        self._files.delete_object(key)

    def list_objects(self, prefix: str = "/", **_: Any) -> Sequence[str]:
        """List what was there before the latest changes."""
        known = [each for each in self._files.list_objects("/") if "/resource-data/" not in each]
        names = sorted({*known, *self._names_removed()})
        return [each for each in names if each.startswith(prefix)]

    def _names_removed(self) -> list[str]:
        return list(json.loads(self._removed.read_text())) if self._removed.exists() else []

    def _require(self, key: str) -> None:
        if not Path(f"{self._files.object_container_path}{key}").is_file():
            raise NotFoundError(key)

    @contextlib.contextmanager
    def _failing(self, failure: Any, key: str) -> Iterator[None]:
        """Raise Karbor's exception in the handler of the client's, as Karbor's banks do."""
        try:
            yield
        except NotFoundError as error:
            raise failure(reason=error, key=key)  # noqa: B904
