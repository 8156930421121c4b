"""What a user gets: the wheel, and environments that have nothing but what is put into them."""

import email
import hashlib
import os
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import attrs
import pytest
from filelock import FileLock

ROOT = Path(__file__).parents[2]
_CACHE = ROOT / ".cache" / "wheels"


@attrs.frozen
class Environment:
    """A virtual environment of its own, with a home of its own.

    Attributes:
        folder: where it is.
        home: the home of the programs that run in it; by default a folder in it.
    """

    folder: Path
    home: Path = attrs.field()

    @home.default
    def _home(self) -> Path:
        return self.folder / "home"

    @classmethod
    def create(cls, folder: Path, *requirements: str) -> "Environment":
        """Make an environment, and install into it."""
        venv.create(folder, with_pip=True)
        environment = cls(folder)
        environment.run("python", "-m", "pip", "install", "--quiet", *requirements)
        return environment

    @classmethod
    def empty(cls, folder: Path, home: Path) -> "Environment":
        """Make an environment with nothing but pip, and a home."""
        venv.create(folder, with_pip=True)
        home.mkdir()
        return cls(folder, home)

    @classmethod
    def get_cached(cls, wheel: Path, extras: str, home: Path) -> "Environment":
        """Return an environment with a wheel and its extras, without pip, that is kept.

        Its libraries are chosen anew when the wheel's requirements, the interpreter or the place
        differ; the wheel itself is installed anew when its content differs.

        Args:
            wheel: what is installed.
            extras: their names, separated by commas; or nothing.
            home: the home of the programs that run in it.
        """
        libraries = WheelLibraries.for_wheel(wheel)
        environment = cls(libraries.folder / (extras.replace(",", "-") or "none"), home)
        stamp = environment.folder / "installed.sha256"
        content = hashlib.sha256(wheel.read_bytes()).hexdigest()
        with FileLock(f"{environment.folder}.lock"):
            if not stamp.exists():
                venv.create(environment.folder, clear=True)
                offline = ("--no-index", "--find-links", str(libraries.download()))
                environment._install(*offline, f"{wheel}[{extras}]" if extras else str(wheel))
            elif stamp.read_text() != content:
                environment._install("--no-deps", "--force-reinstall", str(wheel))
            stamp.write_text(content)
        return environment

    def _install(self, *arguments: str) -> None:
        """Install with the pip of the tests' environment.

        A pip in each, and compiling what nobody imports, took seven eighths of the time.
        """
        pip = [sys.executable, "-m", "pip", "--python", str(self.folder / "bin" / "python")]
        options = ("--quiet", "--disable-pip-version-check", "--no-compile")
        subprocess.run([*pip, "install", *options, *arguments], check=True)

    @property
    def program_environ(self) -> dict[str, str]:
        """What a program finds in its environment: nothing of the one that the tests run in."""
        foreign = ("PYTHON", "PYTEST", "VIRTUAL_ENV", "OS_", "KARBOR_", "XDG_", "MAKE", "MFLAGS")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        return kept | {
            "HOME": str(self.home),
            "PATH": f"{self.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        }

    def run(self, program: str, *arguments: str, cwd: Path | None = None) -> str:
        """Run one of its programs, which is to succeed; answer what it prints."""
        done = self.run_unchecked(program, *arguments, cwd=cwd)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def run_unchecked(
        self, program: str, *arguments: str, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one of its programs, and return how it ended and what it printed."""
        return subprocess.run(
            [self.folder / "bin" / program, *arguments],
            env=self.program_environ,
            cwd=cwd or self.folder,
            text=True,
            capture_output=True,
            check=False,
        )


@attrs.frozen
class WheelLibraries:
    """The libraries that a wheel asks for in all its extras, fetched from an index once.

    Attributes:
        wheel: what asks for them.
        extras: the names of its extras.
        folder: where they are kept; its name tells requirements, interpreter and place.
    """

    wheel: Path
    extras: Sequence[str]
    folder: Path

    @classmethod
    def for_wheel(cls, wheel: Path) -> "WheelLibraries":
        """Return those of a wheel, which need not be there yet."""
        with zipfile.ZipFile(wheel) as archive:
            (path,) = (each for each in archive.namelist() if each.endswith("info/METADATA"))
            metadata = email.message_from_bytes(archive.read(path))
        extras = metadata.get_all("Provides-Extra", [])
        distinguishing = [sys.version, str(_CACHE), *extras, *metadata.get_all("Requires-Dist", [])]
        digest = hashlib.sha256("\n".join(distinguishing).encode()).hexdigest()
        folder = _CACHE / digest[:12]
        folder.mkdir(parents=True, exist_ok=True)
        return cls(wheel, extras, folder)

    def download(self) -> Path:
        """Return the folder with the libraries as wheels, filled first if it is not there."""
        house, filling = self.folder / "libraries", self.folder / "libraries.part"
        with FileLock(f"{house}.lock"):
            if not house.exists():
                pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--wheel-dir", str(filling)]
                subprocess.run([*pip, f"{self.wheel}[{','.join(self.extras)}]"], check=True)
                filling.rename(house)
        return house


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
    subprocess.run([*pip, "-w", str(folder), str(ROOT)], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture
def environment_of(wheel: Path, tmp_path: Path) -> Callable[[str], Environment]:
    """Return a function that creates an environment of the wheel with extras, and a new home."""
    return lambda extras: Environment.get_cached(wheel, extras, tmp_path / "home")
