"""What one configured backend can do, and how its service is."""

from collections.abc import Iterator
from typing import Any, Final

import attrs

from karbor_backup_cli._formatting import format_error
from karbor_backup_core import Ability, Backend, Health, KarborBackupError, Support, Verb, printable
from karbor_backup_core.configuration import BackendSection
from karbor_backup_core.configured_backends import ConfiguredBackends
from karbor_backup_core.documents import to_document

_VERBS_OF_TYPES: Final = [verb for verb in Verb if verb is not Verb.MAINTAIN]
"""The verbs that a backend does with a type of resource."""


@attrs.frozen
class BackendStatus:
    """What is known of one configured backend.

    Attributes:
        name: the configured name.
        use: the implementation: the name of its entry point.
        backend: the backend; None when it cannot be loaded.
        error: why it cannot be loaded, or why its service could not be asked.
        health: how its service is; None when it was not asked.
    """

    name: str
    use: str
    backend: Backend | None
    error: str = ""
    health: Health | None = None

    @property
    def usable(self) -> bool:
        """Whether nothing is known against using it."""
        return not self.error and (self.health is None or self.health.ok)

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "name": self.name,
            "fault": self.error or None,
            "info": None if self.backend is None else to_document(self.backend.info),
            "health": None if self.health is None else to_document(self.health),
        }

    def status_line(self) -> str:
        """Return a line on its state; its service is known only where it was asked."""
        if self.error:
            return f"cannot be used: {self.error}"
        if self.health is None:
            return "ready"
        return f"{'ok' if self.health.ok else 'not fit'}: {self.health.summary}"

    def header_lines(self) -> Iterator[str]:
        """Yield the line that names it."""
        info = None if self.backend is None else self.backend.info
        kind = "" if info is None else f"  ({info.name} {info.version}, contract {info.contract})"
        yield printable(f"{self.name}{kind}")

    def column_names(self) -> list[str]:
        """Return the heads of the columns of ``rows``."""
        return [verb.value for verb in _VERBS_OF_TYPES]

    def ability_rows(self) -> list[tuple[str, ...]]:
        """Return for each type of resource what it does with each verb."""
        return [
            (kind, *(_ability_word(abilities.get(verb)) for verb in _VERBS_OF_TYPES))
            for kind, abilities in self._abilities()
        ]

    def covered_lines(self) -> Iterator[str]:
        """Yield by which types the covered types are covered."""
        for kind, abilities in self._abilities():
            by = {each.covered_by for each in abilities.values() if each.covered_by}
            if by:
                yield printable(f"  {kind} is covered by {' or '.join(sorted(by))}")

    def option_lines(self) -> Iterator[str]:
        """Name the options of each verb, the required ones marked."""
        for verb in _VERBS_OF_TYPES:
            kinds: dict[str, list[str]] = {}
            for kind, abilities in self._abilities():
                if verb in abilities and abilities[verb].support is Support.SUPPORTED:
                    kinds.setdefault(_format_options(abilities[verb]), []).append(kind)
            for options, of in kinds.items():
                whose = "" if len(kinds) == 1 else f" {', '.join(of)}"
                if options:
                    yield printable(f"  options of {verb}{whose}: {options}")

    def maintenance_lines(self) -> Iterator[str]:
        """Name the actions of its maintenance, each with its options."""
        actions = {} if self.backend is None else self.backend.info.maintenance
        for action, ability in actions.items():
            options = _format_options(ability)
            more = f" (options: {options})" if options else ""
            if ability.support is Support.SUPPORTED:
                yield printable(f"  maintenance: {action}{more}")

    def limit_lines(self) -> Iterator[str]:
        """Say how many operations its service works on at once, where it declares that."""
        limit = None if self.backend is None else self.backend.info.work_limit
        if limit is not None:
            yield f"  work limit: {limit} at once; what is begun beyond that is queued"

    def _abilities(self) -> list[tuple[str, dict[Verb, Ability]]]:
        if self.backend is None:
            return []
        return [(kind, dict(each)) for kind, each in self.backend.info.abilities.items()]


def query_backend_status(
    backends: ConfiguredBackends, section: BackendSection, *, check: bool
) -> BackendStatus:
    """Find out about one configured backend; its service is asked only to ``check`` it."""
    backend: Backend | None = None
    try:
        backend = backends.load(section.name)
        health = backend.health() if check else None
        return BackendStatus(section.name, section.use, backend, health=health)
    except KarborBackupError as error:
        return BackendStatus(section.name, section.use, backend, error=format_error(error))


def _ability_word(ability: Ability | None) -> str:
    if ability is None or ability.support is Support.UNSUPPORTED:
        return "-"
    return "yes" if ability.support is Support.SUPPORTED else "covered"


def _format_options(ability: Ability) -> str:
    required = ability.schema.get("required", ())
    names = ability.schema.get("properties", {})
    return ", ".join(f"{name} (required)" if name in required else name for name in names)
