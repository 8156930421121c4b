"""What a user gets: the wheel, and environments that have nothing but what is put into them."""

import os
import subprocess
import sys
import venv
from pathlib import Path

import attrs
import pytest

ROOT = Path(__file__).parents[1]


@attrs.frozen
class Environment:
    """A virtual environment of its own, with a home of its own.

    Attributes:
        folder: where it is.
    """

    folder: Path

    @classmethod
    def made(cls, folder: Path, *requirements: str) -> "Environment":
        """Make an environment, and install into it."""
        venv.create(folder, with_pip=True)
        environment = cls(folder)
        environment.run("python", "-m", "pip", "install", "--quiet", *requirements)
        return environment

    @property
    def variables(self) -> dict[str, str]:
        """What a program finds in its environment: nothing of the one that the tests run in."""
        foreign = ("PYTHON", "PYTEST", "VIRTUAL_ENV", "OS_", "KARBOR_", "XDG_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return kept | {
            "HOME": str(self.folder / "home"),
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        }

    def run(self, program: str, *arguments: str, cwd: Path | None = None) -> str:
        """Run one of its programs, which is to succeed; answer what it prints."""
        done = subprocess.run(
            [self.folder / "bin" / program, *arguments],
            env=self.variables,
            cwd=cwd or self.folder,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*pip, "-w", str(folder), str(ROOT)], check=True)
    (built,) = folder.glob("*.whl")
    return built
