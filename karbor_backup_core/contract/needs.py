"""What a rule needs beyond a backend: levers of the bench, and abilities that are declared.

It is decided before a rule runs whether its needs are met. A rule cannot find out on its way that
it does not apply: so no fault can turn a failure into a skip.
"""

from collections.abc import Callable
from typing import Final

import attrs

from karbor_backup_core.contract.bench import Bench, Fault
from karbor_backup_core.model import BackendInfo, Support, Verb

_Unmet = Callable[[Bench, BackendInfo], str]


@attrs.frozen
class Need:
    """Something that a rule needs.

    Attributes:
        text: what it is, as it stands in the documentation.
        unmet: says why it is not there; empty when it is.
        declared: whether it is an ability of the backend, rather than a lever of the bench.
    """

    text: str
    unmet: _Unmet
    declared: bool = False


def lever(name: str, why: str) -> Need:
    """Answer the need for an optional attribute of the bench."""
    reason = f"the bench has no {name}"
    return Need(f"{why} (`{name}`)", lambda bench, _: "" if getattr(bench, name) else reason)


def fault(kind: Fault) -> Need:
    """Answer the need for a fault that the bench can make happen."""
    reason = f"the bench has no fault {kind.name}"
    return Need(
        f"fault `{kind.name}`: {kind.value}",
        lambda bench, _: "" if kind in bench.faults else reason,
    )


def declares(support: Support, verb: Verb | None = None) -> Need:
    """Answer the need for some type that the backend declares so, for a verb or for any."""
    text = f"{support}{'' if verb is None else f' {verb}'}"

    def unmet(_: Bench, info: BackendInfo) -> str:
        found = any(
            ability.support is support and verb in (None, each)
            for abilities in info.abilities.values()
            for each, ability in abilities.items()
        )
        return "" if found else f"the backend declares no type as {text}"

    return Need(f"a type that the backend declares as {text}", unmet, declared=True)


def _kinds_missing(bench: Bench, info: BackendInfo) -> str:
    missing = sorted(supported_kinds(info) - set(bench.kinds))
    return f"the bench makes no resource of type {', '.join(missing)}" if missing else ""


def supported_kinds(info: BackendInfo) -> set[str]:
    """Answer the types for which a backend supports anything."""
    return {
        kind
        for kind, abilities in info.abilities.items()
        if any(ability.support is Support.SUPPORTED for ability in abilities.values())
    }


HOLDINGS: Final = lever("holdings", "a list of everything in the service")
ALL_KINDS: Final = Need("resources of every type that the backend supports", _kinds_missing)
ELSEWHERE: Final = lever("elsewhere", "a backend that looks at another project")
SECRETS: Final = lever("secrets", "secrets in the configuration")
COMPOUND: Final = lever("compound", "a type whose backups have members")
PHASED: Final = lever("phased", "a verb that takes several phases")
FENCED: Final = lever("fenced", "a service that knows a late call by itself, and refuses it")
CLOCK: Final = lever("clock", "a clock of the service that can be turned")
COVERED: Final = declares(Support.COVERED)
VERIFY: Final = declares(Support.SUPPORTED, Verb.VERIFY)
