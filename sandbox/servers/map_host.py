"""Tells Nova's databases in which cell a machine will be, before it is first seen.

usage: map_host.py CONFIGURATION CELL HOST

Runs in Nova's environment. `nova-manage cell_v2 discover_hosts` does it for a machine that has been
seen, and so would have to run in every new cloud.
"""

import importlib
import sys


def main(configuration: str, cell_name: str, host: str) -> None:
    """Write the host's mapping."""
    importlib.import_module("nova.config").parse_args(
        ["map_host", f"--config-file={configuration}"]
    )
    objects = importlib.import_module("nova.objects")
    objects.register_all()
    context = importlib.import_module("nova.context").get_admin_context()
    cells = {cell.name: cell for cell in objects.CellMappingList.get_all(context)}
    objects.HostMapping(context, host=host, cell_mapping=cells[cell_name]).create()


if __name__ == "__main__":
    main(*sys.argv[1:])
