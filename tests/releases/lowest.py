"""The lowest versions that ``pyproject.toml`` allows, as constraints for pip."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version


def lowest_constraints(pyproject: Path, groups: Iterable[str] = ("test",)) -> list[str]:
    """Return a line for each direct dependency: the lowest version that every mention of it allows.

    Args:
        pyproject: the file; dependencies, all extras and the groups are read.
        groups: the dependency groups that are installed too.

    Raises:
        ValueError: a dependency has no lower bound.
    """
    document = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    project = document["project"]
    bounds: dict[str, Version] = {}
    for requirement in _list_requirements(document, groups):
        name = canonicalize_name(requirement.name)
        if name != canonicalize_name(project["name"]):
            bounds[name] = max(_find_lower_bound(requirement), bounds.get(name, Version("0")))
    return [f"{name}=={bound}" for name, bound in sorted(bounds.items())]


def _list_requirements(document: Mapping[str, Any], groups: Iterable[str]) -> Iterator[Requirement]:
    project = document["project"]
    mentions = [project["dependencies"], *project["optional-dependencies"].values()]
    mentions += [document["dependency-groups"][group] for group in groups]
    for mention in mentions:
        yield from (Requirement(each) for each in mention if isinstance(each, str))


def _find_lower_bound(requirement: Requirement) -> Version:
    for each in requirement.specifier:
        if each.operator in (">=", "==", "~="):
            return Version(each.version)
    raise ValueError(f"{requirement} has no lower bound in pyproject.toml")
