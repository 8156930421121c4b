"""Which library a failed import lacks, and what to install.

The command's own libraries are among those that can be missing: this module imports none of them.
"""

import importlib.metadata
import re
from typing import Final

from karbor_backup_core import DISTRIBUTION, install_hint

_EXTRAS: Final = {
    "click": "cli",
    "cronsim": "scale",
    "jinja2": "contract",
    "platformdirs": "cli",
    "procrastinate": "scale",
    "psycopg": "scale",
    "pytest": "contract",
    "rich": "cli",
    "sqlalchemy": "sql",
}
"""The extra that brings each library of the core's extras."""

_OWN_PACKAGES: Final = (
    "karbor_backup_cinder",
    "karbor_backup_cli",
    "karbor_backup_contract",
    "karbor_backup_core",
    "karbor_backup_fake",
    "karbor_backup_freezer",
    "karbor_backup_openstack",
    "karbor_backup_process",
    "karbor_backup_restic",
    "karbor_backup_scale",
    "karbor_glue",
)


def describe_missing_library(error: BaseException) -> str | None:
    """Return in one line which library is missing or unfit and what to install.

    Returns:
        None where the error is no failed import of somebody else's library: then it is a fault.
    """
    if not isinstance(error, ImportError) or not error.name:
        return None
    library = error.name.partition(".")[0]
    if library in _OWN_PACKAGES:
        return None
    if isinstance(error, ModuleNotFoundError) and error.name == library:
        return f"{library} is not installed: {suggest_installation(library)}"
    return f"{describe_unfit_library(library)} ({error})"


def describe_unfit_library(library: str) -> str:
    """Return in one line that a library of an extra is missing, or of which version it is."""
    try:
        version = importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return f"{library} is not installed: {suggest_installation(library)}"
    remedy = suggest_installation(library)
    return f"{library} {version} does not fit: in an environment of its own, {remedy}"


def suggest_installation(library: str) -> str:
    """Return what to install for a library: an extra of ours, or what its own name says."""
    if extra := _EXTRAS.get(library):
        return install_hint(extra)
    if library in _required_distributions():
        return f"pip install {library}"
    return "install the package that has it"


def _required_distributions() -> set[str]:
    """Return the distributions that are required without any extra, by their usual module names."""
    try:
        requirements = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return set()
    names = [re.match(r"[\w.-]+", each) for each in requirements if "extra ==" not in each]
    return {found[0].lower().replace("-", "_") for found in names if found}
