"""The glossary defines each public class once, and names no class that does not exist."""

import importlib
import inspect
import re
from collections import Counter
from typing import Final

import pytest

import karbor_backup_contract
import karbor_backup_core
import karbor_backup_process
from tests.support.wheels import ROOT

_PAGE: Final = ROOT / "docs" / "reference" / "glossary.md"
_TERM: Final = re.compile(r"^\| (?!term |---)`?([^|`]+)`? \|", re.MULTILINE)
_CLASS: Final = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
_FREEZER_MODEL: Final = [
    f"karbor_backup_freezer.model.{name}"
    for name in ("handle", "items", "modes", "receipt", "storages")
]


def _public_classes(name: str) -> set[str]:
    """Return the names of a module's public classes, without those that it imports."""
    module = importlib.import_module(name)
    return {
        key
        for key, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == name and not key.startswith("_")
    }


_CORE: Final = {
    name for name in dir(karbor_backup_core) if inspect.isclass(getattr(karbor_backup_core, name))
}
_CONTRACT: Final = {
    name
    for name in dir(karbor_backup_contract)
    if inspect.isclass(getattr(karbor_backup_contract, name))
}
_PROCESS: Final = set(karbor_backup_process.__all__)
_OPENSTACK: Final = _public_classes("karbor_backup_openstack.server_spec")
_FREEZER: Final = set[str]().union(*(_public_classes(name) for name in _FREEZER_MODEL))


@pytest.mark.parametrize(
    "classes",
    [_CORE, _CONTRACT, _PROCESS, _OPENSTACK, _FREEZER],
    ids=["core", "contract", "process", "openstack", "freezer"],
)
def test_glossary_defines_every_public_class(classes: set[str]) -> None:
    assert classes
    assert classes - set(_CLASS.findall(_PAGE.read_text(encoding="utf-8"))) == set()


def test_glossary_names_only_classes_that_exist() -> None:
    named = set(_CLASS.findall(_PAGE.read_text(encoding="utf-8")))
    aliases = {"Clock"}
    assert named - _CORE - _CONTRACT - _PROCESS - _OPENSTACK - _FREEZER - aliases == set()


def test_glossary_defines_each_term_once() -> None:
    terms = _TERM.findall(_PAGE.read_text(encoding="utf-8"))
    assert [term for term, times in Counter(terms).items() if times > 1] == []


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_page_links_to_the_glossary(page: str) -> None:
    assert "(docs/reference/glossary.md)" in (ROOT / page).read_text(encoding="utf-8")
