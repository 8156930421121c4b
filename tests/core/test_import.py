"""What importing the core costs."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
before = set(sys.modules)
import {module}
loaded = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(loaded - sys.stdlib_module_names))
"""


def third_parties_of(module: str) -> set[str]:
    script = SCRIPT.format(module=module)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split()) - {"karbor_backup_core"}


@pytest.mark.parametrize(
    "module", ["karbor_backup_core", "karbor_backup_core.discovery", "karbor_backup_core.logs"]
)
def test_the_core_loads_nothing_heavier_than_pluggy_and_attrs(module: str) -> None:
    assert third_parties_of(module) <= {"attr", "attrs", "pluggy"}


def test_the_check_sees_what_is_loaded() -> None:
    assert "jsonschema" in third_parties_of("jsonschema")
