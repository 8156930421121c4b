"""The API reference is what the docstrings say, and has every public name."""

from types import ModuleType

import pytest

import karbor_backup_contract
import karbor_backup_core
import karbor_backup_process
from tests.pages.generate_api import PAGE_PATH, documented_names, render_page


def test_page_is_up_to_date(pytestconfig: pytest.Config) -> None:
    written = (pytestconfig.rootpath / PAGE_PATH).read_text(encoding="utf-8")
    assert written == render_page(), "run: python -m tests.pages.generate_api"


@pytest.mark.parametrize(
    "package", [karbor_backup_core, karbor_backup_contract, karbor_backup_process]
)
def test_page_has_each_public_name_once(package: ModuleType) -> None:
    assert sorted(documented_names(package.__name__)) == sorted(package.__all__)
