"""What one configured backend can do, and how its service is."""

from collections.abc import Iterator
from typing import Any

import attrs

from karbor_backup_core.backend import Backend
from karbor_backup_core.cli.configuration import BackendSection
from karbor_backup_core.cli.configured import ConfiguredBackends
from karbor_backup_core.cli.text import in_words
from karbor_backup_core.documents import to_document
from karbor_backup_core.errors import KarborBackupError
from karbor_backup_core.escaping import printable
from karbor_backup_core.model import Ability, Health, Support, Verb


@attrs.frozen
class Survey:
    """What is known of one configured backend.

    Attributes:
        name: the configured name.
        use: the implementation: the name of its entry point.
        backend: the backend; None when it cannot be loaded.
        fault: why it cannot be loaded, or why its service could not be asked.
        health: how its service is; None when it was not asked.
    """

    name: str
    use: str
    backend: Backend | None
    fault: str = ""
    health: Health | None = None

    @property
    def fit(self) -> bool:
        """Whether nothing is known against using it."""
        return not self.fault and (self.health is None or self.health.ok)

    def document(self) -> dict[str, Any]:
        """Answer it as JSON values."""
        return {
            "name": self.name,
            "fault": self.fault or None,
            "info": None if self.backend is None else to_document(self.backend.info),
            "health": None if self.health is None else to_document(self.health),
        }

    def status(self) -> str:
        """Say in a line how it is; its service is known only where it was asked."""
        if self.fault:
            return f"cannot be used: {self.fault}"
        if self.health is None:
            return "ready"
        return f"{'ok' if self.health.ok else 'not fit'}: {self.health.summary}"

    def head(self) -> Iterator[str]:
        """Say in a line what it is."""
        info = None if self.backend is None else self.backend.info
        kind = "" if info is None else f"  ({info.name} {info.version}, contract {info.contract})"
        yield printable(f"{self.name}{kind}")

    def verbs(self) -> list[str]:
        """The heads of the columns of ``rows``."""
        return [verb.value for verb in Verb]

    def rows(self) -> list[tuple[str, ...]]:
        """Answer for each type of resource what it does with each verb."""
        return [
            (kind, *(_word(abilities.get(verb)) for verb in Verb))
            for kind, abilities in self._abilities()
        ]

    def covered_lines(self) -> Iterator[str]:
        """Say by what the covered types are covered."""
        for kind, abilities in self._abilities():
            by = {each.covered_by for each in abilities.values() if each.covered_by}
            if by:
                yield printable(f"  {kind} is covered by {' or '.join(sorted(by))}")

    def option_lines(self) -> Iterator[str]:
        """Name the options of each verb, the required ones marked."""
        for verb in Verb:
            kinds: dict[str, list[str]] = {}
            for kind, abilities in self._abilities():
                if verb in abilities and abilities[verb].support is Support.SUPPORTED:
                    kinds.setdefault(_options(abilities[verb]), []).append(kind)
            for options, of in kinds.items():
                whose = "" if len(kinds) == 1 else f" {', '.join(of)}"
                if options:
                    yield printable(f"  options of {verb}{whose}: {options}")

    def _abilities(self) -> list[tuple[str, dict[Verb, Ability]]]:
        if self.backend is None:
            return []
        return [(kind, dict(each)) for kind, each in self.backend.info.abilities.items()]


def survey(backends: ConfiguredBackends, section: BackendSection, *, check: bool) -> Survey:
    """Find out about one configured backend; its service is asked only to ``check`` it."""
    backend: Backend | None = None
    try:
        backend = backends.load(section.name)
        health = backend.health() if check else None
        return Survey(section.name, section.use, backend, health=health)
    except KarborBackupError as error:
        return Survey(section.name, section.use, backend, fault=in_words(error))


def _word(ability: Ability | None) -> str:
    if ability is None or ability.support is Support.UNSUPPORTED:
        return "-"
    return "yes" if ability.support is Support.SUPPORTED else "covered"


def _options(ability: Ability) -> str:
    required = ability.schema.get("required", ())
    names = ability.schema.get("properties", {})
    return ", ".join(f"{name} (required)" if name in required else name for name in names)
