"""The options are the specification's documents, with optional additions only."""

from typing import Any

import pytest

from karbor_backup_core import InvalidDocument, Verb
from karbor_backup_core.backend import Backend
from karbor_backup_freezer import FreezerBackend, schemas
from karbor_backup_freezer.resources import COVERED, KINDS

SPECIFIED: dict[str, dict[str, Any]] = {
    "protect": {
        "title": "Freezer Protection Options",
        "type": "object",
        "properties": {
            "backup_name": {
                "type": "string",
                "title": "Backup Name",
                "description": "The name of the backup.",
                "default": None,
            },
            "description": {
                "type": "string",
                "title": "Description",
                "description": "The description of the backup.",
            },
        },
        "required": ["backup_name"],
    },
    "restore": {
        "title": "Freezer Protection Restore",
        "type": "object",
        "properties": {
            "restore_name": {
                "type": "string",
                "title": "Restore Resource Name",
                "description": "The name of the restore resource ",
                "default": None,
            },
        },
        "required": ["restore_name"],
    },
}


@pytest.fixture
def backend() -> Backend:
    return Backend.load("freezer", FreezerBackend, {})


@pytest.mark.parametrize(
    ("ours", "verb"),
    [
        (schemas.PROTECT, "protect"),
        (schemas.RESTORE, "restore"),
        (schemas.RESTORE_DIRECTORY, "restore"),
    ],
)
def test_only_optional_properties_are_added(ours: dict[str, Any], verb: str) -> None:
    theirs = SPECIFIED[verb]
    kept = {name: ours["properties"][name] for name in theirs["properties"]}
    assert {**ours, "properties": kept} == theirs


@pytest.mark.parametrize("kind", KINDS)
def test_every_type_takes_the_specified_options(backend: Backend, kind: str) -> None:
    backend.check_options(kind, Verb.PROTECT, {"backup_name": "x", "description": "y"})
    backend.check_options(kind, Verb.RESTORE, {"restore_name": "x"})
    backend.check_options(kind, Verb.DELETE, {})
    backend.check_options(kind, Verb.VERIFY, {})


def test_all_faults_of_options_are_named_at_once(backend: Backend) -> None:
    with pytest.raises(InvalidDocument) as caught:
        backend.check_options("OS::Cinder::Volume", Verb.PROTECT, {"descripton": "x", "storage": 1})
    assert len(caught.value.faults) == 3


def test_a_path_is_an_option_of_directories_only(backend: Backend) -> None:
    options = {"restore_name": "x", "restore_path": "/srv"}
    backend.check_options("Freezer::FileSystem::Directory", Verb.RESTORE, options)
    with pytest.raises(InvalidDocument, match="restore_path"):
        backend.check_options("OS::Cinder::Volume", Verb.RESTORE, options)


def test_images_and_networks_are_covered(backend: Backend) -> None:
    for kind in COVERED:
        for verb in Verb:
            ability = backend.ability(kind, verb)
            assert ability.support == "covered"
            assert ability.covered_by
