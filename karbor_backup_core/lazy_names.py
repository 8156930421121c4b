"""Packages whose public names are loaded when they are first asked for (PEP 562)."""

import importlib
import sys
from collections.abc import Mapping
from typing import Any


def lazy_names(package: str, modules: Mapping[str, str]) -> None:
    """Give a package the public names that are in modules below it, each loaded when asked for.

    Args:
        package: the package's own ``__name__``.
        modules: each module below the package, and its public names with blanks between them.
    """
    module_of = {name: module for module, names in modules.items() for name in names.split()}
    namespace = vars(sys.modules[package])

    def load(name: str) -> Any:
        """Load a name when it is first asked for.

        Raises:
            AttributeError: the package has no such name.
        """
        if name not in module_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(importlib.import_module(f"{package}.{module_of[name]}"), name)
        namespace[name] = value
        return value

    names = sorted(module_of)
    namespace.update(__all__=names, __dir__=lambda: names, __getattr__=load)
