"""What a message recommends can be done by whoever reads it in Karbor."""

from pathlib import Path
from typing import Any

import pytest
from oslo_config import cfg

from karbor_backup_core import InvalidInput, Verb
from karbor_backup_core.discovery import installed_backends
from karbor_glue._option_hints import add_option_hints
from karbor_glue._settings import read_backend_settings
from karbor_glue.plugin import (
    BackupProtectionPlugin,
    FakeProtectionPlugin,
    FreezerProtectionPlugin,
)

DIRECTORY = "Freezer::FileSystem::Directory"
VOLUME = "OS::Cinder::Volume"


def test_option_that_karbor_passes_on_is_suggested_unchanged() -> None:
    words = "choose another storage, or give the option 'allow_unrestorable'"
    assert add_option_hints(Verb.PROTECT, VOLUME, words) == words


@pytest.mark.parametrize(
    ("verb", "kind", "option", "remedy"),
    [
        (Verb.PROTECT, DIRECTORY, "scheduler", "scheduler_client_id"),
        (Verb.RESTORE, DIRECTORY, "overwrite", "move what is in the directory away"),
        (Verb.RESTORE, DIRECTORY, "overwrite_unseen", "move what is in the directory away"),
        (Verb.DELETE, VOLUME, "scheduler", "scheduler_client_id"),
        (Verb.RESTORE, VOLUME, "allow_unrestorable", "another storage"),
        (Verb.VERIFY, VOLUME, "colour", "a verify of OS::Cinder::Volume)"),
    ],
)
def test_option_that_karbor_does_not_pass_on_names_the_alternative(
    verb: Verb, kind: str, option: str, remedy: str
) -> None:
    words = add_option_hints(verb, kind, f"give the option {option!r}")
    assert words.startswith(f"give the option {option!r} (Karbor takes no {option!r} for a {verb}")
    assert remedy in words


def test_an_option_of_the_provider_s_file_is_no_parameter() -> None:
    words = "its operator can allow some with the option 'directories' in the provider's file"
    assert add_option_hints(Verb.PROTECT, DIRECTORY, words) == words


@pytest.mark.parametrize("plugin", [FakeProtectionPlugin, FreezerProtectionPlugin])
def test_the_plugin_of_one_backend_lists_what_that_backend_declares(plugin: Any) -> None:
    (backend,) = (each for each in installed_backends() if each.name == plugin.BACKEND)
    assert backend.plugin_class is not None
    declared = backend.plugin_class({}).describe().abilities
    assert set(plugin.get_supported_resources_types()) == set(declared)


def test_the_plugin_over_any_backend_lists_what_any_declares() -> None:
    listed = set(BackupProtectionPlugin.get_supported_resources_types())
    assert listed > set(FakeProtectionPlugin.get_supported_resources_types())


def test_a_file_that_names_another_backend_than_the_plugin_s_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "provider.conf"
    file.write_text("[karbor_backup_plugin]\nbackend = tar\n")
    conf = cfg.ConfigOpts()
    conf(args=[f"--config-file={file}"])
    with pytest.raises(InvalidInput, match="'tar', and its plugin is for 'fake'"):
        read_backend_settings(conf, "fake")
