"""Backends and extensions by entry point, with distributions laid out on disk for each test."""

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from karbor_backup_core import BackendUnavailable, UnknownBackend
from karbor_backup_core.configuration import BackendSection, Configuration
from karbor_backup_core.configured_backends import ConfiguredBackends
from karbor_backup_core.discovery import backend_class, installed_backends, load_extensions

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Return a function that installs a distribution of one module."""
    modules: list[str] = []

    def put(
        distribution: str, module: str, code: str, *points: str, extras: tuple[str, ...] = ()
    ) -> None:
        modules.append(module)
        site = tmp_path / distribution
        metadata = site / f"{distribution.replace('-', '_')}-2.5.dist-info"
        metadata.mkdir(parents=True)
        lines = ["Metadata-Version: 2.1", f"Name: {distribution}", "Version: 2.5"]
        lines += [f"Provides-Extra: {extra}" for extra in extras]
        (metadata / "METADATA").write_text("\n".join(lines) + "\n")
        (metadata / "entry_points.txt").write_text("\n".join(points) + "\n")
        (site / f"{module}.py").write_text(code)
        monkeypatch.syspath_prepend(site)

    yield put
    for module in modules:
        sys.modules.pop(module, None)


GOOD = "class Tape: pass\n"


def test_a_backend_is_found_as_soon_as_it_is_installed(install: Install) -> None:
    before = [each.name for each in installed_backends()]
    assert "tape" not in before
    install("tape-backup", "tape_good", GOOD, "[karbor_backup.backends]", "tape = tape_good:Tape")
    (tape,) = [each for each in installed_backends() if each.name == "tape"]
    assert (tape.distribution, tape.version, tape.unavailable) == ("tape-backup", "2.5", "")
    assert tape.plugin_class is not None
    assert tape.plugin_class.__name__ == "Tape"
    assert backend_class("tape") is tape.plugin_class


def test_the_backends_of_this_distribution_are_listed() -> None:
    ours = {each.name for each in installed_backends() if each.distribution == "karbor-backup"}
    assert ours == {"cinder", "fake", "freezer", "restic"}


@pytest.mark.parametrize("code", [GOOD, "import a_module_that_is_not_there"])
def test_opt_in_backend_needs_a_section_even_where_it_cannot_be_loaded(
    install: Install, code: str
) -> None:
    group = "[karbor_backup.opt_in_backends]"
    install("tape-backup", "tape_section", code, group, "tape = tape_section:Tape")
    (tape,) = [each for each in installed_backends() if each.name == "tape"]
    assert (tape.plugin_class is None) == (code is not GOOD)
    assert tape.needs_section
    backends = ConfiguredBackends(Configuration())
    assert "tape" not in backends.sections
    with pytest.raises(UnknownBackend, match=r"has a section \[backends.tape\]"):
        backends.load("tape")


def test_a_missing_extra_is_named_with_the_command_that_installs_it(install: Install) -> None:
    install(
        "tape-backup",
        "tape_extra",
        "import a_module_that_is_not_there\n",
        "[karbor_backup.backends]",
        "tape = tape_extra:Tape",
        extras=("tape", "other"),
    )
    (tape,) = [each for each in installed_backends() if each.name == "tape"]
    assert tape.plugin_class is None
    assert "No module named 'a_module_that_is_not_there'" in tape.unavailable
    assert tape.unavailable.endswith("pip install 'tape-backup[tape]'")
    with pytest.raises(BackendUnavailable, match=r"pip install 'tape-backup\[tape\]'"):
        backend_class("tape")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import a_module_that_is_not_there\n", "install the package that has it"),
        ("def broken(:\n", "SyntaxError"),
        ("assert False, 'needs a tape'\n", "needs a tape"),
        ("raise RuntimeError('no drive')\n", "RuntimeError: no drive"),
        ("", "has no attribute 'Tape'"),
    ],
)
def test_one_that_cannot_be_loaded_is_listed_with_the_reason_and_hides_no_other(
    install: Install, code: str, reason: str
) -> None:
    install("tape-backup", "tape_bad", code, "[karbor_backup.backends]", "tape = tape_bad:Tape")
    install("disk-backup", "disk_good", GOOD, "[karbor_backup.backends]", "disk = disk_good:Tape")
    found = {each.name: each for each in installed_backends()}
    assert found["tape"].plugin_class is None
    assert reason in found["tape"].unavailable
    assert found["disk"].plugin_class is not None


def test_only_the_backend_asked_for_is_imported(install: Install) -> None:
    install("tape-backup", "tape_other", GOOD, "[karbor_backup.backends]", "tape = tape_other:Tape")
    install("disk-backup", "disk_other", GOOD, "[karbor_backup.backends]", "disk = disk_other:Tape")
    backend_class("disk")
    assert "disk_other" in sys.modules
    assert "tape_other" not in sys.modules


def test_an_unknown_backend_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownBackend, match=r"did you mean 'freezer'\? there are: .*fake"):
        backend_class("freezr")


def test_one_name_from_two_distributions_is_refused(install: Install) -> None:
    for name in ("tape-one", "tape-two"):
        module = name.replace("-", "_")
        install(name, module, GOOD, "[karbor_backup.backends]", f"tape = {module}:Tape")
    with pytest.raises(BackendUnavailable, match="uninstall one") as caught:
        backend_class("tape")
    assert "tape-one 2.5" in str(caught.value)
    assert "tape-two 2.5" in str(caught.value)


def test_extensions_are_made_anew_each_time_and_a_broken_one_is_logged(
    install: Install, caplog: pytest.LogCaptureFixture
) -> None:
    install(
        "watch",
        "watch",
        "class Good: pass\nclass Bad:\n    def __init__(self): raise OSError('no socket')\n",
        "[karbor_backup.extensions]",
        "good = watch:Good",
        "bad = watch:Bad",
    )
    with caplog.at_level(logging.ERROR):
        first, second = load_extensions(), load_extensions()
    names = [type(each).__name__ for each in first]
    assert "Good" in names
    assert "ChangeLog" in names
    assert "Bad" not in names
    assert not any(one is other for one in first for other in second)
    assert "extension bad is not in effect: OSError: no socket" in caplog.text


def test_contract_suite_gets_the_configuration_that_the_class_gets() -> None:
    section = BackendSection("site", "fake", {"same_as": ["fake:there"], "vault": "far"})
    backends = ConfiguredBackends(Configuration(backends={"site": section}))
    plugin_class, configuration = backends.class_and_configuration("site")
    assert plugin_class is backend_class("fake")
    assert configuration == {"vault": "far"}
