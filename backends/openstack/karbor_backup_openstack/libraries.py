"""Whether the libraries that a backend needs are there, looked for when it is loaded.

They are imported at their first use, since they are slow to import. Whether they are there, and new
enough, is asked at once, so that an operator hears of it before an operation begins.
"""

import importlib.metadata
import importlib.util
import re
from collections.abc import Iterable, Mapping
from typing import Final

import attrs


@attrs.frozen
class Library:
    """A library that a backend imports.

    Attributes:
        module: the name by which it is imported.
        distribution: the name by which it is installed.
        minimum: the oldest version that the tests pass with.
    """

    module: str
    distribution: str
    minimum: str


OPENSTACK_LIBRARIES: Final = (
    Library("keystoneauth1", "keystoneauth1", "5.6"),
    Library("openstack", "openstacksdk", "4.4"),
    Library("os_service_types", "os-service-types", "1.7"),
    Library("requests", "requests", "2.31"),
)
"""What this package itself needs, with the lowest versions that the tests pass with."""


def check_libraries(
    libraries: Iterable[Library], installed: Mapping[str, str] | None = None
) -> None:
    """Look for every library that a backend needs.

    Args:
        libraries: what it needs.
        installed: versions to take instead of those that are installed, by distribution.

    Raises:
        ImportError: one is missing, or older than the oldest that works; the message names the
            version that is needed.
    """
    for library in libraries:
        if importlib.util.find_spec(library.module) is None:
            raise ModuleNotFoundError(f"No module named {library.module!r}", name=library.module)
        version = _installed_version(library.distribution, installed or {})
        if version and version_numbers(version) < version_numbers(library.minimum):
            raise ImportError(
                f"{library.distribution} {version} is too old: {library.minimum} or later is needed"
            )


def _installed_version(distribution: str, installed: Mapping[str, str]) -> str:
    """Return the installed version, empty where the library is there without its metadata."""
    try:
        return installed.get(distribution) or importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return ""


def version_numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a release, such as (4, 4, 0) of 4.4.0rc1."""
    leading = re.match(r"\d+(\.\d+)*", version)
    return tuple(int(number) for number in leading.group().split(".")) if leading else ()
