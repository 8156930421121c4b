"""What importing the core costs."""

import ast
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import karbor_backup_core

OWN_PACKAGES = {"karbor_backup_cli", "karbor_backup_contract", "karbor_backup_core"}

SCRIPT = """
import sys
before = set(sys.modules)
import {module}
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(loaded - sys.stdlib_module_names))
"""


def third_party_imports(module: str) -> set[str]:
    script = SCRIPT.format(module=module)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split()) - OWN_PACKAGES


@pytest.mark.parametrize(
    "module",
    ["karbor_backup_core", "karbor_backup_core.discovery", "karbor_backup_core._change_log"],
)
def test_the_core_loads_nothing_heavier_than_pluggy_and_attrs(module: str) -> None:
    assert third_party_imports(module) <= {"attr", "attrs", "pluggy"}


def test_the_check_sees_what_is_loaded() -> None:
    assert "jsonschema" in third_party_imports("jsonschema")


def modules_loaded_by(statement: str) -> set[str]:
    script = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_import_for_backends_does_not_load_the_runner() -> None:
    names = "Operation, Progress, Secret, Transient, hookimpl"
    loaded = modules_loaded_by(f"from karbor_backup_core import {names}")
    assert "karbor_backup_core._model" in loaded
    assert (
        not {
            f"karbor_backup_core.{each}"
            for each in ("_backend", "_execution.driver", "_execution.runner")
        }
        & loaded
    )


def test_pytest_plugin_alone_loads_nothing_but_pytest() -> None:
    plugin = "karbor_backup_contract.pytest_plugin"
    ours = {
        each for each in modules_loaded_by(f"import {plugin}") if each.startswith("karbor_backup")
    }
    assert ours == {
        "karbor_backup_core",
        "karbor_backup_core.lazy_names",
        "karbor_backup_contract",
        plugin,
    }
    assert third_party_imports(plugin) <= third_party_imports("pytest")


def imports_for_type_checkers(package: str) -> set[tuple[str, str]]:
    """Return the names that type checkers see in a package, and the module of each."""
    source = importlib.util.find_spec(package)
    assert source is not None
    assert source.origin is not None
    block = next(
        each for each in ast.parse(Path(source.origin).read_text()).body if isinstance(each, ast.If)
    )
    return {
        (alias.name, f"{each.module}".removeprefix(f"{package}."))
        for each in block.body
        if isinstance(each, ast.ImportFrom)
        for alias in each.names
        if alias.asname == alias.name
    }


@pytest.mark.parametrize(
    "package", ["karbor_backup_core", "karbor_backup_contract", "karbor_backup_cli"]
)
def test_every_public_name_of_a_lazy_package_is_in_the_module_that_it_names(package: str) -> None:
    loaded = importlib.import_module(package)
    modules = loaded._MODULES
    named = {(name, module) for module, names in modules.items() for name in names.split()}
    assert imports_for_type_checkers(package) == named
    assert sorted(loaded.__all__) == dir(loaded) == sorted(name for name, _ in named)
    assert [name for name in loaded.__all__ if not hasattr(loaded, name)] == []


def test_every_public_name_is_there_and_stays_the_same() -> None:
    for name in dir(karbor_backup_core):
        first = getattr(karbor_backup_core, name)
        assert first is getattr(karbor_backup_core, name)
    assert "karbor_backup_core._execution.runner" in modules_loaded_by(
        "from karbor_backup_core import *"
    )


def test_missing_name_raises_pythons_own_error() -> None:
    with pytest.raises(AttributeError, match="'karbor_backup_core' has no attribute 'Runer'"):
        karbor_backup_core.Runer  # noqa: B018 - to ask for it is what fails
