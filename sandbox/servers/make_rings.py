"""Makes Swift's rings: one device and one copy of everything.

usage: make_rings.py DIRECTORY ACCOUNT_PORT CONTAINER_PORT OBJECT_PORT

Runs in Swift's environment. `swift-ring-builder` does the same in nine commands of half a second.
"""

import importlib
import sys
from pathlib import Path

PART_POWER = 4
REPLICAS = 1
MIN_PART_HOURS = 1
DEVICE = {"region": 1, "zone": 1, "ip": "127.0.0.1", "device": "disk", "weight": 1.0}


def main(directory: str, *ports: str) -> None:
    """Write the three rings into a directory."""
    ring_builder = importlib.import_module("swift.common.ring").RingBuilder
    for kind, port in zip(("account", "container", "object"), ports, strict=True):
        builder = ring_builder(PART_POWER, REPLICAS, MIN_PART_HOURS)
        builder.add_dev({**DEVICE, "port": int(port)})
        builder.rebalance()
        builder.get_ring().save(str(Path(directory) / f"{kind}.ring.gz"))


if __name__ == "__main__":
    main(*sys.argv[1:])
