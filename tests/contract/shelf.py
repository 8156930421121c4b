"""The tutorial's backend, which keeps its state in files, and a harness for what is made of it."""

import importlib
import shutil
import tempfile
import types
import weakref
from pathlib import Path
from typing import Any, Final

from karbor_backup_contract import BackendFactory, Harness, Inventory
from karbor_backup_contract.local_files import FileResources, list_paths
from tests.examples.tutorial import PAGE, final_files

_SOURCE: Final = "src/karbor_backup_shelf/backend.py"


def _load_tutorial() -> Any:
    module = types.ModuleType(__name__)
    exec(compile(final_files()[_SOURCE], str(PAGE), "exec"), vars(module))  # noqa: S102 - our page
    return module


tutorial: Final = _load_tutorial()


def create_backend(name: str, folder: str) -> Any:
    """Return a backend of a class that is named as ``module:class``."""
    module, _, cls = name.partition(":")
    return getattr(importlib.import_module(module), cls)({"folder": folder})


def create_harness(cls: Any) -> Harness:
    """Return a harness on new folders, which are removed with it.

    Args:
        cls: the tutorial's backend, or a class that is made of it.
    """
    folder = tempfile.mkdtemp(prefix="contract-shelf-")
    copies, files = Path(folder, "copies"), FileResources(Path(folder, "files"))
    copies.mkdir()
    settings = {"name": f"{cls.__module__}:{cls.__name__}", "folder": str(copies)}

    def inventory() -> Inventory:
        return Inventory(data=[*list_paths(copies), *files.list_present()])

    # A TemporaryDirectory that nobody closes warns when it is removed, which fails the test.
    weakref.finalize(inventory, shutil.rmtree, folder, ignore_errors=True)
    return Harness(
        create_backend=lambda: create_backend(**settings),
        backend_factory=BackendFactory(f"{__name__}:create_backend", settings),
        resources=files,
        resource_types=[tutorial.FILE],
        inventory=inventory,
    )


class Shelf(tutorial.ShelfBackend):  # type: ignore[misc]
    """The tutorial's backend as it is."""
