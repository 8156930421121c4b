"""The backends that the configuration names, loaded when they are needed."""

import functools
import logging
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from karbor_backup_core._backend import SAME_AS, Backend
from karbor_backup_core._errors import (
    BackendUnavailable,
    InvalidDocument,
    InvalidInput,
    KarborBackupError,
    UnknownBackend,
)
from karbor_backup_core._escaping import printable
from karbor_backup_core._model import Backup, Json
from karbor_backup_core._suggestions import unknown_backend
from karbor_backup_core.configuration import BackendSection, Configuration
from karbor_backup_core.discovery import (
    backend_class,
    default_backend_names,
    load_extensions,
    opt_in_backend_names,
)
from karbor_backup_core.json_schema.subschemas import find_secret_paths
from karbor_backup_core.secrets import Secret, wrap_secrets

_log: Final = logging.getLogger("karbor_backup.configuration")


@attrs.define(slots=False)
class ConfiguredBackends:
    """Finds and loads backends.

    Attributes:
        configuration: names them.
        secrets: gets the secrets of each backend before that is made.
        cloud: stands for the ``cloud`` of every section that has one; empty for none.
        warn: is called with each warning about the configuration, in one line.
    """

    configuration: Configuration
    secrets: list[Secret] = attrs.field(factory=list, repr=False)
    cloud: str = ""
    warn: Callable[[str], None] = _log.warning
    _loaded: dict[str, Backend] = attrs.field(factory=dict, init=False)

    @functools.cached_property
    def sections(self) -> Mapping[str, BackendSection]:
        """The configured backends; with none configured, every installed one that is a default."""
        if self.configuration.backends is not None:
            return self.configuration.backends
        return {name: BackendSection(name, name) for name in default_backend_names()}

    def load(self, name: str) -> Backend:
        """Return a backend by its configured name; its service is not asked.

        Raises:
            UnknownBackend: there is none of that name.
            InvalidInput: its configuration does not fit.
            BackendUnavailable: it cannot be loaded.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load_section(self._find_section(name))
        return self._loaded[name]

    def class_and_configuration(self, name: str) -> tuple[Any, dict[str, Any]]:
        """Return a backend's class and its configuration, the secrets in it wrapped.

        Raises:
            KarborBackupError: as ``load``.
        """
        self.load(name)
        plugin_class, keys = self._resolve_section(self._find_section(name))
        keys.pop(SAME_AS, None)
        return plugin_class, wrap_secrets(plugin_class.CONFIG_SCHEMA, keys)

    def select(self, asked: str | None) -> Backend:
        """Return the backend that was asked for, or the one there is to use without asking.

        Raises:
            InvalidInput: none was asked for, and there are several.
            KarborBackupError: as ``load``.
        """
        if asked:
            return self.load(asked)
        if self.configuration.default_backend:
            self.check_default()
            return self.load(self.configuration.default_backend)
        names = list(self.sections)
        if len(names) != 1:
            known = ", ".join(names) or "none"
            raise InvalidInput(
                f"which backend? Name one with --backend, or as default_backend in the "
                f"configuration (there are: {known})"
            )
        return self.load(names[0])

    def check_default(self) -> None:
        """Let a configuration pass whose default backend is among the backends, or that has none.

        Raises:
            UnknownBackend: there is no backend of that name.
        """
        default, path = self.configuration.default_backend, self.configuration.path
        if default and default not in self.sections:
            raise UnknownBackend(
                f"configuration {path}: default_backend: {self._not_configured_message(default)}"
            )

    def select_for_backup(self, backup: Backup, asked: str | None) -> Backend:
        """Return the backend that was asked for, or the one that can read a backup.

        Raises:
            UnknownBackend: no configured backend is of the kind that made it.
            KarborBackupError: as ``load``.
        """
        if asked:
            return self.load(asked)
        candidates = self._find_by_implementation(backup.backend)
        if not candidates:
            known = ", ".join(self.sections) or "none"
            raise UnknownBackend(
                f"backup {backup.id} was made by backend {backup.backend}, and none of that kind "
                f"is configured (there are: {known})"
            )
        fitting = [
            each for each in candidates if len(candidates) == 1 or _accepts_scope(each, backup)
        ]
        return (fitting or candidates)[0]

    def _find_by_implementation(self, implementation: str) -> list[Backend]:
        sections = self.sections.values()
        likely = [each for each in sections if each.use == implementation]
        found = []
        for section in likely or sections:
            try:
                backend = self.load(section.name)
            except BackendUnavailable:
                if likely:
                    raise
                continue
            if backend.info.name == implementation:
                found.append(backend)
        return found

    def _find_section(self, name: str) -> BackendSection:
        try:
            return self.sections[name]
        except KeyError:
            raise UnknownBackend(self._not_configured_message(name)) from None

    def _not_configured_message(self, name: str) -> str:
        known = ", ".join(self.sections) or "none"
        if name in opt_in_backend_names():
            return (
                f"backend {name!r} is used only where the configuration has a "
                f"section [backends.{name}] (there are: {known})"
            )
        return str(unknown_backend(name, self.sections))

    def _resolve_section(self, section: BackendSection) -> tuple[Any, dict[str, Any]]:
        try:
            plugin_class = backend_class(section.use)
        except UnknownBackend as error:
            path = self.configuration.path
            place = f"configuration {path}: backends.{section.name}.use: " if path else ""
            raise UnknownBackend(f"{place}{error}") from None
        keys = dict(section.configuration)
        if self.cloud and "cloud" in keys:
            keys["cloud"] = self.cloud
        return plugin_class, keys

    def _load_section(self, section: BackendSection) -> Backend:
        plugin_class, keys = self._resolve_section(section)
        sources = list(_find_secret_sources(getattr(plugin_class, "CONFIG_SCHEMA", None), keys))
        self._warn_if_world_readable(sources)
        self.secrets += [Secret(source) for source in sources]
        try:
            return Backend.load(section.name, plugin_class, keys, load_extensions())
        except InvalidDocument as error:
            raise self._with_file_paths(section, error) from None

    def _with_file_paths(self, section: BackendSection, error: InvalidDocument) -> InvalidDocument:
        """Return the error with the places that the faults have in the file."""
        if self.configuration.path is None:
            return error
        place = f"$.backends.{section.name}"
        faults = [fault.replace("$", place, 1) for fault in error.faults]
        return InvalidDocument(f"configuration {self.configuration.path}", faults)

    def _warn_if_world_readable(self, sources: Sequence[str | Mapping[str, str]]) -> None:
        path = self.configuration.path
        literal = any(isinstance(source, str) for source in sources)
        if path is not None and literal and path.stat().st_mode & stat.S_IROTH:
            self.warn(
                f"{printable(str(path))} holds secrets and everybody can "
                "read it: chmod o-r, or write them as {env = ...} or {file = ...}"
            )


def _accepts_scope(backend: Backend, backup: Backup) -> bool:
    try:
        return backend.accepts_scope(backup.scope)
    except KarborBackupError:
        return False


def _find_secret_sources(schema: Any, keys: Json) -> Iterator[str | Mapping[str, str]]:
    """Return the secrets in a configuration as they stand there; what is none is left out."""
    for place in find_secret_paths(schema, keys):
        value: Any = keys
        for step in place:
            value = value[step]
        try:
            Secret(value)
        except InvalidInput:
            continue
        yield value
