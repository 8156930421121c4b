# ruff: noqa: INP001 - it is found on the module path
"""A driver for Neutron's ML2 that needs no agent: every port is a tap device, joined to nothing.

Runs in Neutron's environment. The devices are made by Nova, in the machine's own network: their
names are written down in the directory SANDBOX_TAPS, so that none outlives the sandbox.
"""

import os
from pathlib import Path
from typing import Any

from neutron_lib.api.definitions import portbindings  # type: ignore[import-not-found]
from neutron_lib.plugins.ml2 import api  # type: ignore[import-not-found]

# nova.network.model.NIC_NAME_LEN: `tap` and the beginning of the port's id.
_NAME_LENGTH = 14


class TapDriver(api.MechanismDriver):  # type: ignore[misc] # published without annotations
    """Binds every port at once."""

    connectivity = portbindings.CONNECTIVITY_L2

    def initialize(self) -> None:
        """Need nothing."""

    def bind_port(self, context: Any) -> None:
        """Bind a port, and write down which device it will be."""
        name = f"tap{context.current['id']}"[:_NAME_LENGTH]
        (Path(os.environ["SANDBOX_TAPS"]) / name).touch()
        for segment in context.segments_to_bind:
            context.set_binding(
                segment[api.ID],
                portbindings.VIF_TYPE_TAP,
                {portbindings.CAP_PORT_FILTER: False},
                status="ACTIVE",
            )
            return
