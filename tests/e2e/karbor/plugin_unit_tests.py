"""Karbor's own unit tests for its Freezer plugin, run on this project's plugin.

It runs in Karbor's environment. The tests are those of the installed package, unchanged. What they
use of the original is replaced before they are loaded; docs/reference/karbor-tests.md lists
each replacement with its reason.
"""

import functools
import importlib
import json
import os
import sys
import tempfile
import types
from pathlib import Path
from typing import Any
from unittest import mock

# Karbor's Freezer client, which the tests patch, imports what python-freezerclient 6.4 dropped.
sys.modules["freezerclient.v1"] = types.ModuleType("freezerclient.v1")
sys.modules["freezerclient.v1"].client = mock.MagicMock()  # type: ignore[attr-defined]

from karbor.common import constants  # noqa: E402
from karbor.resource import Resource  # noqa: E402
from karbor.services.protection.bank_plugin import Bank, BankSection  # noqa: E402
from karbor.services.protection.bank_plugins.file_system_bank_plugin import (  # noqa: E402
    FileSystemBankPlugin,
)
from karbor.services.protection.protection_plugins.volume import (  # noqa: E402
    volume_freezer_plugin,
    volume_freezer_plugin_schemas,
)
from oslo_config import cfg  # noqa: E402

from karbor_glue.options import FREEZER_GROUP, register_freezer  # noqa: E402
from karbor_glue.plugin import FreezerProtectionPlugin  # noqa: E402

# Karbor's test runner has imported these with other tests, and so has registered their options.
for module in ("operationengine.engine.triggers.timetrigger", "protection.clients.freezer"):
    importlib.import_module(f"karbor.services.{module}")

FACTS = json.loads(os.environ.get("PLUGIN_UNIT_TESTS", "{}"))
ORIGINAL = volume_freezer_plugin.FreezerProtectionPlugin


class PluginUnderTest(FreezerProtectionPlugin):
    """This project's plugin with what a provider's file says beside ``poll_interval``."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        register_freezer(config)
        for name, value in FACTS["options"].items():
            config.set_override(name, value, FREEZER_GROUP)

    @classmethod
    def get_supported_resources_types(cls) -> list[str]:
        """List those that the original has too."""
        known = ORIGINAL.get_supported_resources_types()
        return [each for each in super().get_supported_resources_types() if each in known]


class ExtendedSchema(dict[str, Any]):
    """A schema of the original, equal to one that has all of it and further properties."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, dict):
            return False
        wanted = {
            name: {key: value for key, value in each.items() if (key, value) != ("default", None)}
            for name, each in self["properties"].items()
        }
        properties = {name: each for name, each in other["properties"].items() if name in wanted}
        return properties == wanted and other["required"] == self["required"]

    __hash__ = None


class UnpatchedSection(BankSection):  # type: ignore[misc]  # Karbor is untyped
    """A section of a bank that goes on working whatever a test puts in the place of its methods."""

    def __init__(self, bank: Any) -> None:
        super().__init__(bank=bank, section="fake")
        for name in ("update_object", "get_object"):
            # Tests set attributes of these, which a method does not take.
            self.__dict__[name] = functools.partial(getattr(BankSection, name), self)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in ("update_object", "get_object"):
            super().__setattr__(name, value)


volume_freezer_plugin.FreezerProtectionPlugin = PluginUnderTest
for schema in ("OPTIONS_SCHEMA", "RESTORE_SCHEMA", "SAVED_INFO_SCHEMA"):
    setattr(
        volume_freezer_plugin_schemas,
        schema,
        ExtendedSchema(getattr(volume_freezer_plugin_schemas, schema)),
    )

from karbor.tests.unit.protection import (  # noqa: E402
    test_cinder_freezer_protection_plugin as karbors,
)


class TestVolumeFreezerProtectionPlugin(karbors.VolumeFreezerProtectionPluginTest):  # type: ignore[misc]
    """Karbor's tests, with a bank of Karbor's and a volume that is there."""

    def setUp(self) -> None:
        """Make the bank; a delete finds a backup of this plugin's in it."""
        folder = Path(tempfile.mkdtemp(dir=FACTS["folder"]))
        file = folder / "provider.conf"
        file.write_text(f"[file_system_bank_plugin]\nfile_system_bank_path = {folder}\n")
        config = cfg.ConfigOpts()
        config([f"--config-file={file}"])
        karbors.fake_bank_section = UnpatchedSection(Bank(FileSystemBankPlugin(config)))
        super().setUp()
        self.checkpoint.resource_graph = None
        if self._testMethodName == "test_delete_backup":
            volume = Resource(id="123", type=constants.VOLUME_RESOURCE_TYPE, name="fake")
            operation = self.plugin.get_protect_operation(volume)
            karbors.call_hooks(operation, self.checkpoint, volume, self.cntxt, {})
        self.addCleanup(self._check_status)

    def _check_status(self) -> None:
        """Look at what the hooks have written, which Karbor's tests do not."""
        wanted = {"test_create_backup": "available", "test_delete_backup": "deleted"}
        if self._testMethodName in wanted:
            status = karbors.fake_bank_section.get_object("status")
            assert status == wanted[self._testMethodName]
