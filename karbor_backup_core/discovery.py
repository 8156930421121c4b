"""Which backends and extensions are installed, and why one of them cannot be used.

Any distribution adds a backend with an entry point in ``karbor_backup.backends``, or in
``karbor_backup.opt_in_backends`` if it is to be used only where a configuration has a section for
it; and an extension with one in ``karbor_backup.extensions``.
"""

import functools
import importlib.metadata
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs

from karbor_backup_core._errors import BackendUnavailable, UnknownBackend
from karbor_backup_core._install_hints import DISTRIBUTION, install_hint
from karbor_backup_core._suggestions import suggest_known

BACKENDS_GROUP: Final = "karbor_backup.backends"
OPT_IN_GROUP: Final = "karbor_backup.opt_in_backends"
EXTENSIONS_GROUP: Final = "karbor_backup.extensions"

_log: Final = logging.getLogger("karbor_backup.discovery")


@attrs.frozen
class InstalledBackend:
    """A backend that some distribution has brought along.

    Attributes:
        name: the name of its entry point.
        distribution: the distribution that brought it.
        version: the version of that distribution.
        plugin_class: the backend's class; None when it cannot be loaded.
        needs_section: whether it is used only where a configuration has a section for it, so that
            nobody gets it by default; its entry point is in ``karbor_backup.opt_in_backends``.
        unavailable: why it cannot be loaded and what to install; empty when it can.
    """

    name: str
    distribution: str
    version: str
    plugin_class: Callable[[Mapping[str, Any]], Any] | None
    needs_section: bool
    unavailable: str = ""


def installed_backends() -> Sequence[InstalledBackend]:
    """Return all installed backends by name, those that cannot be loaded with the reason."""
    return sorted(_load_backends(_backend_entry_points()), key=lambda each: each.name)


def default_backend_names() -> Sequence[str]:
    """Return the names of those that are used without a section; none of them is imported."""
    return sorted({point.name for point in _entry_points(BACKENDS_GROUP)})


def opt_in_backend_names() -> Sequence[str]:
    """Return the names of those that need a section; none of them is imported."""
    return sorted({point.name for point in _entry_points(OPT_IN_GROUP)})


def backend_class(name: str) -> Callable[[Mapping[str, Any]], Any]:
    """Return the class of an installed backend. No other backend is imported.

    Raises:
        UnknownBackend: none of that name is installed.
        BackendUnavailable: it cannot be loaded, or two distributions have brought one.
    """
    points = _backend_entry_points()
    wanted = [point for point in points if point.name == name]
    if not wanted:
        raise UnknownBackend(
            _unknown_backend_message(name, sorted({point.name for point in points}))
        )
    if len(wanted) > 1:
        owners = " and ".join(" ".join(_distribution_of(point)) for point in wanted)
        raise BackendUnavailable(f"backend {name} comes from both {owners}: uninstall one of them")
    (backend,) = _load_backends(wanted)
    if backend.plugin_class is None:
        raise BackendUnavailable(f"backend {name}: {backend.unavailable}")
    return backend.plugin_class


def load_extensions() -> Sequence[Any]:
    """Return a new instance of each installed extension; one that cannot be made is logged."""
    loaded, failed = _load_entry_points(_entry_points(EXTENSIONS_GROUP), make=True)
    for point, error in failed:
        _log.error(
            "extension %s is not in effect: %s", point.name, unavailable_reason(point, error)
        )
    return [instance for _, instance in loaded]


def _load_backends(points: Sequence[importlib.metadata.EntryPoint]) -> list[InstalledBackend]:
    loaded, failed = _load_entry_points(points)
    found = [_describe_backend(point, cls) for point, cls in loaded]
    found += [
        _describe_backend(point, None, unavailable_reason(point, error)) for point, error in failed
    ]
    return found


def _describe_backend(
    point: importlib.metadata.EntryPoint, plugin_class: Any, unavailable: str = ""
) -> InstalledBackend:
    owner = _distribution_of(point)
    needs_section = point.group == OPT_IN_GROUP
    return InstalledBackend(point.name, *owner, plugin_class, needs_section, unavailable)


def _backend_entry_points() -> Sequence[importlib.metadata.EntryPoint]:
    return [*_entry_points(BACKENDS_GROUP), *_entry_points(OPT_IN_GROUP)]


def _entry_points(group: str) -> Sequence[importlib.metadata.EntryPoint]:
    return list(importlib.metadata.entry_points(group=group))


def _load_entry_points(
    points: Sequence[importlib.metadata.EntryPoint], *, make: bool = False
) -> tuple[
    list[tuple[importlib.metadata.EntryPoint, Any]],
    list[tuple[importlib.metadata.EntryPoint, BaseException]],
]:
    """Load entry points, and make instances if asked; answer what was loaded, and what failed."""
    failed: list[tuple[importlib.metadata.EntryPoint, BaseException]] = []
    manager = _manager_class()(
        points, lambda _, point, error: failed.append((point, error)), make=make
    )
    loaded = [(each.entry_point, each.obj if make else each.plugin) for each in manager]
    return loaded, failed


@functools.cache
def _manager_class() -> Any:
    from stevedore import ExtensionManager

    class Manager(ExtensionManager):  # type: ignore[type-arg]
        """Loads the entry points given.

        stevedore's own list comes from a cache, on disk, that is keyed by times of change rounded
        to two minutes, and knows no distributions: a backend installed just now would be missing.
        """

        def __init__(self, points: Any, on_failure: Any, *, make: bool) -> None:
            self._points = points
            super().__init__(
                BACKENDS_GROUP, invoke_on_load=make, on_load_failure_callback=on_failure
            )

        def list_entry_points(self) -> Any:
            return self._points

        def _load_one_plugin(self, *arguments: Any) -> Any:
            try:
                return super()._load_one_plugin(*arguments)
            except AssertionError as error:
                # stevedore lets it through, and a module that asserts what it needs would take
                # all other backends with it.
                raise ImportError(f"AssertionError: {error}") from error

    return Manager


def _distribution_of(point: importlib.metadata.EntryPoint) -> tuple[str, str]:
    if point.dist is None:
        return "unknown", ""
    return point.dist.metadata["Name"], point.dist.version


def unavailable_reason(point: importlib.metadata.EntryPoint, error: BaseException) -> str:
    """Describe why an entry point cannot be loaded, and which library to install."""
    reason = f"{type(error).__name__}: {error}"
    if not isinstance(error, ImportError) or point.dist is None:
        return reason
    name = point.dist.metadata["Name"]
    if point.name in (point.dist.metadata.get_all("Provides-Extra") or ()):
        ours = name == DISTRIBUTION
        command = install_hint(point.name) if ours else f"pip install '{name}[{point.name}]'"
        return f"{reason}: {command}"
    if isinstance(error, ModuleNotFoundError):
        return f"{reason}: install the package that has it; {name} says which in its documentation"
    return reason


def _unknown_backend_message(name: str, known: Sequence[str]) -> str:
    return f"no backend {name} is installed: {suggest_known(name, known)}"
