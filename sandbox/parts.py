"""The optional parts of a sandbox, each brought up when it is asked for by name."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs
import cattrs

from sandbox import ssh
from sandbox.errors import SandboxError
from sandbox.instance import Instance

PARTS: Mapping[str, tuple[type, Callable[[Instance], Any]]] = {
    "ssh": (ssh.Ssh, ssh.bring_up),
}
"""By name: the class of what is to be known of a part, and what brings it up."""


def known(names: Iterable[str]) -> list[str]:
    """Return the names as they are.

    Raises:
        SandboxError: there is no such part.
    """
    names = list(names)
    for name in names:
        if name not in PARTS:
            raise SandboxError(f"There is no part {name!r}, only: {', '.join(PARTS)}")
    return names


def ensure(instance: Instance, name: str) -> Any:
    """Return what is to be known of a part, brought up first unless it is up.

    The caller holds the project's lock.

    Raises:
        SandboxError: there is no such part, or it did not come up.
    """
    known([name])
    kind, bring_up = PARTS[name]
    state = instance.state
    if name not in state.parts:
        instance.report(f"Starting the part {name!r}.")
        facts = cattrs.unstructure(bring_up(instance))
        state = attrs.evolve(state, parts={**state.parts, name: facts})
        instance.remember(state)
    return cattrs.structure(state.parts[name], kind)
