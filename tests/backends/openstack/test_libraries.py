"""Libraries that are too old are refused when the backend is loaded."""

import tomllib
from pathlib import Path

import pytest

from karbor_backup_freezer.libraries import LIBRARIES
from karbor_backup_openstack.libraries import OPENSTACK_LIBRARIES, Library, check_libraries

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


def test_installed_libraries_are_new_enough() -> None:
    check_libraries(LIBRARIES)


@pytest.mark.parametrize(
    ("extra", "libraries"), [("freezer", LIBRARIES), ("cinder", OPENSTACK_LIBRARIES)]
)
def test_bounds_are_those_of_the_extra(extra: str, libraries: tuple[Library, ...]) -> None:
    extras = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]
    stated = {f"{library.distribution}>={library.minimum}" for library in libraries}
    assert stated == set(extras[extra])


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda library: library.distribution)
@pytest.mark.parametrize("version", ["0.9", "1.0.0rc1", "1.6.9"])
def test_an_older_library_is_named_with_the_version_that_is_needed(
    library: Library, version: str
) -> None:
    with pytest.raises(ImportError, match=f"{library.distribution} {version} is too old") as caught:
        check_libraries(LIBRARIES, {library.distribution: version})
    assert f"{library.minimum} or later is needed" in str(caught.value)


@pytest.mark.parametrize("more", ["", ".0", ".0rc1", ".1.dev3", ".99"])
def test_stated_and_later_library_versions_are_accepted(more: str) -> None:
    check_libraries(LIBRARIES, {each.distribution: f"{each.minimum}{more}" for each in LIBRARIES})


def test_later_major_version_is_accepted() -> None:
    check_libraries(LIBRARIES, {each.distribution: "10.0" for each in LIBRARIES})
