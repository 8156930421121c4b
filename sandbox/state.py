"""What is remembered of a sandbox that is up, so that another process can go on with it."""

import json
from collections.abc import Mapping
from typing import Any

import attrs
import cattrs

from sandbox.accounts import Account, write_secret
from sandbox.databases import DatabaseKind
from sandbox.environments import Environment
from sandbox.errors import NotRunningError
from sandbox.layout import Layout
from sandbox.processes import ProcessId


@attrs.frozen
class State:
    """A sandbox that is up.

    Attributes:
        owner: the process whose end is the sandbox's end; None for one that stays until `down`.
        environment: what Keystone and Freezer are installed in.
        auth_url: Keystone's.
        freezer_url: the Freezer API's.
        accounts: by user.
        freezer_database: what the Freezer API keeps its jobs in.
        parts: what is to be known of the optional parts that are up, by the part's name.
    """

    owner: ProcessId | None
    environment: Environment
    auth_url: str
    freezer_url: str
    accounts: Mapping[str, Account]
    freezer_database: DatabaseKind = "sqlite"
    parts: Mapping[str, dict[str, Any]] = attrs.field(factory=dict)

    @property
    def is_orphan(self) -> bool:
        """Whether the owner has ended."""
        return self.owner is not None and self.owner.process() is None


def save_state(layout: Layout, state: State) -> None:
    """Write the state of an instance whole: whoever reads it sees the old one or the new one."""
    draft = layout.state.with_suffix(".draft")
    write_secret(draft, json.dumps(cattrs.unstructure(state), indent=2))
    draft.replace(layout.state)


def load_state(layout: Layout) -> State:
    """Return the state of an instance that is up.

    Raises:
        NotRunningError: it is not up.
    """
    try:
        text = layout.state.read_text()
    except FileNotFoundError:
        raise NotRunningError(
            f"The sandbox {layout.name!r} is not up. Bring it up with: python -m sandbox up"
        ) from None
    return cattrs.structure(json.loads(text), State)
