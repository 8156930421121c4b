"""The options are the specification's documents, with optional additions only."""

from typing import Any

import pytest

from karbor_backup_core import Backend, InvalidDocument, Verb
from karbor_backup_freezer import FreezerBackend, schemas
from karbor_backup_freezer.model.resource_types import SUPPORTED_TYPES
from karbor_backup_openstack.resource_types import COVERED

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


@pytest.mark.parametrize("kind", SUPPORTED_TYPES)
@pytest.mark.parametrize("verb", [Verb.PROTECT, Verb.RESTORE])
def test_only_optional_properties_are_added(kind: str, verb: Verb) -> None:
    theirs, ours = SPECIFIED[verb], schemas.SCHEMAS_BY_TYPE[kind][verb]
    kept = {name: ours["properties"][name] for name in theirs["properties"]}
    assert {**ours, "properties": kept} == theirs


@pytest.mark.parametrize("kind", SUPPORTED_TYPES)
def test_every_type_takes_the_specified_options(backend: Backend, kind: str) -> None:
    backend.check_options(kind, Verb.PROTECT, {"backup_name": "x", "description": "y"})
    backend.check_options(kind, Verb.RESTORE, {"restore_name": "x"})
    backend.check_options(kind, Verb.DELETE, {})
    backend.check_options(kind, Verb.VERIFY, {})


def test_all_errors_of_options_are_named_at_once(backend: Backend) -> None:
    with pytest.raises(InvalidDocument) as caught:
        backend.check_options("OS::Cinder::Volume", Verb.PROTECT, {"descripton": "x", "storage": 1})
    assert len(caught.value.faults) == 3


def test_a_path_is_an_option_of_directories_only(backend: Backend) -> None:
    options = {"restore_name": "x", "restore_path": "/srv"}
    backend.check_options("Freezer::FileSystem::Directory", Verb.RESTORE, options)
    with pytest.raises(InvalidDocument, match="restore_path"):
        backend.check_options("OS::Cinder::Volume", Verb.RESTORE, options)


@pytest.mark.parametrize(
    ("kind", "verb", "option"),
    [
        ("OS::Nova::Server", Verb.PROTECT, {"include_volumes": True}),
        ("OS::Cinder::Volume", Verb.PROTECT, {"mode": "cindernative"}),
        ("OS::Keystone::Project", Verb.PROTECT, {"mode": "tenant"}),
        ("OS::Keystone::Project", Verb.PROTECT, {"include_images": True}),
        ("OS::Cinder::Volume", Verb.RESTORE, {"overwrite_volume": True}),
    ],
)
def test_option_of_one_type_is_refused_for_another(
    backend: Backend, kind: str, verb: Verb, option: dict[str, Any]
) -> None:
    options = {"backup_name" if verb is Verb.PROTECT else "restore_name": "x", **option}
    backend.check_options(kind, verb, options)
    for other in set(SUPPORTED_TYPES) - {kind}:
        with pytest.raises(InvalidDocument, match=next(iter(option))):
            backend.check_options(other, verb, options)


@pytest.mark.parametrize("option", ["encrypt_pass_file", "incremental", "max_level"])
@pytest.mark.parametrize("kind", SUPPORTED_TYPES)
def test_dangerous_options_of_the_agent_are_refused_for_every_type(
    backend: Backend, kind: str, option: str
) -> None:
    with pytest.raises(InvalidDocument, match=option):
        backend.check_options(kind, Verb.PROTECT, {"backup_name": "x", option: "1"})


def test_images_and_networks_are_covered(backend: Backend) -> None:
    for kind in COVERED:
        for verb in schemas.SCHEMAS_BY_TYPE[SUPPORTED_TYPES[0]]:
            ability = backend.ability(kind, verb)
            assert ability.support == "covered"
            assert ability.covered_by
