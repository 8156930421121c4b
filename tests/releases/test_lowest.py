"""The lowest versions that the project allows, which no release's may be below."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.releases.lowest import lowest_constraints

_ROOT = Path(__file__).parents[2]
_RELEASES = sorted(Path(__file__).parent.glob("*.txt"))


def test_each_bound_is_the_highest_stated_one(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(
        """\
[project]
name = "mine"
dependencies = ["attrs>=23.2"]
[project.optional-dependencies]
all = ["mine[some]", "Attrs>=24.1,<30"]
[dependency-groups]
test = ["psycopg[binary]>=3.2.1"]
dev = [{include-group = "test"}, "mypy==2"]
"""
    )
    assert lowest_constraints(path) == ["attrs==24.1", "psycopg==3.2.1"]


def test_dependency_without_a_bound_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(
        '[project]\nname = "mine"\ndependencies = ["attrs"]\n'
        "[project.optional-dependencies]\n[dependency-groups]\ntest = []\n"
    )
    with pytest.raises(ValueError, match="attrs has no lower bound"):
        lowest_constraints(path)


@pytest.mark.parametrize("release", _RELEASES, ids=lambda path: path.stem)
def test_constraints_of_every_release_satisfy_the_bounds(release: Path) -> None:
    """The project can be installed under the constraints of each maintained OpenStack release."""
    constraints = release.read_text(encoding="utf-8")
    too_old = []
    for line in lowest_constraints(_ROOT / "pyproject.toml"):
        (lowest,) = Requirement(line).specifier
        name = re.escape(Requirement(line).name).replace(r"\-", "[-_.]")
        held = re.findall(rf"(?im)^{name}===([^;\s]+)", constraints)
        too_old += [f"{line}: {each}" for each in held if Version(each) < Version(lowest.version)]
    assert not too_old
