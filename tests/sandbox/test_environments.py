"""Environments are built once, whole, and by one process at a time."""

import threading
from pathlib import Path

import pytest

from sandbox.environments import Environment, ensure_environment
from sandbox.errors import BuildError
from sandbox.layout import Project


@pytest.fixture
def requirements(tmp_path: Path) -> Path:
    """Return a directory with the requirements of an environment without packages."""
    directory = tmp_path / "requirements"
    directory.mkdir()
    for suffix in ("in", "txt"):
        (directory / f"empty.{suffix}").write_text("")
    return directory


@pytest.fixture
def reports() -> list[str]:
    return []


def build(project: Project, requirements: Path, reports: list[str]) -> Environment:
    return ensure_environment(project, "empty", reports.append, requirements=requirements)


def test_environment_is_built_once(
    project: Project, requirements: Path, reports: list[str]
) -> None:
    first = build(project, requirements, reports)
    second = build(project, requirements, reports)

    assert first == second
    assert first.python.exists()
    assert first.path.parent == project.environments
    assert reports == ["Building the environment 'empty'; it is kept for the next time."]


def test_concurrent_processes_build_an_environment_once(
    project: Project, requirements: Path, reports: list[str]
) -> None:
    builders = [
        threading.Thread(target=build, args=(project, requirements, reports)) for _ in range(2)
    ]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()

    assert len(reports) == 1


@pytest.mark.parametrize("changed", ["empty.in", "empty.txt"])
def test_other_requirements_get_another_environment(
    project: Project, requirements: Path, reports: list[str], changed: str
) -> None:
    first = build(project, requirements, reports)
    (requirements / changed).write_text("# another day\n")

    assert build(project, requirements, reports).path != first.path


def test_interrupted_build_is_repeated(
    project: Project, requirements: Path, reports: list[str]
) -> None:
    whole = build(project, requirements, reports)
    (whole.path / ".finished").unlink()
    (whole.python).unlink()
    (whole.path / "half").touch()

    again = build(project, requirements, reports)

    assert again == whole
    assert again.python.exists()
    assert not (again.path / "half").exists()


def test_failed_build_reports_its_reason(
    project: Project, requirements: Path, reports: list[str]
) -> None:
    (requirements / "empty.in").write_text("./no-such-directory\n")

    with pytest.raises(BuildError, match=r"'empty' could not be built: .*(?s:.*)no-such-directory"):
        build(project, requirements, reports)


def test_checkout_path_with_a_blank_is_refused(
    tmp_path: Path, requirements: Path, reports: list[str]
) -> None:
    project = Project(tmp_path / "my checkout")

    with pytest.raises(BuildError, match="has a blank in its path"):
        build(project, requirements, reports)
