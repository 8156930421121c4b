"""The services' databases, migrated once per environment and copied into each cloud."""

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sandbox import mariadb
from sandbox.environments import Environment
from sandbox.instance import Instance
from sandbox.mariadb import MariaDb
from sandbox.openstack import cinder, glance, neutron, nova, placement
from sandbox.openstack.configuration import Section, write_configuration
from sandbox.openstack.site import HOST_NAME
from sandbox.subprocesses import run_checked

NAMES = (
    glance.DATABASE,
    cinder.DATABASE,
    placement.DATABASE,
    neutron.DATABASE,
    nova.API_DATABASE,
    nova.CELL0_DATABASE,
    nova.DATABASE,
)

_AT_A_TIME = 2
_CELL = "cell1"
_MAP_HOST = Path(__file__).parents[1] / "servers" / "map_host.py"

# Nova puts in what its configuration says, so that a copy serves a cloud with other addresses.
_CELL_DATABASE = "{scheme}://{username}:{password}@{hostname}:{port}/{path}?{query}"
_CELL0_DATABASE = _CELL_DATABASE.replace("{path}", nova.CELL0_DATABASE)
_CELL_TRANSPORT = "{scheme}://{username}:{password}@{hostname}:{port}/{path}"


def ensure_template(instance: Instance, environment: Environment) -> Path:
    """Return the directory to copy; it takes a minute to make.

    Raises:
        SandboxError: a service's command failed; the text says how.
    """
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]

    def fill(server: MariaDb, directory: Path) -> None:
        migrations = _migrations(environment.bin, directory, server)
        with ThreadPoolExecutor(_AT_A_TIME) as workers:
            for migration in [workers.submit(migrate) for migrate in migrations]:
                migration.result()

    return mariadb.ensure_template(environment.path / f"mariadb-{recipe}", instance, NAMES, fill)


def _migrations(programs: Path, directory: Path, server: MariaDb) -> list[Callable[[], None]]:
    def configure(name: str, sections: Mapping[str, Section]) -> Path:
        path = directory / f"{name}.conf"
        write_configuration(path, sections)
        return path

    def simple(tool: str, section: str, database: str, *command: str) -> Callable[[], None]:
        path = configure(database, {section: {"connection": server.url(database)}})
        return lambda: run_checked(
            [str(programs / tool), f"--config-file={path}", *command], directory
        )

    nova_conf = configure(nova.DATABASE, _nova(server))
    return [
        lambda: _migrate_nova(programs, nova_conf),
        simple("neutron-db-manage", "database", neutron.DATABASE, "upgrade", "head"),
        simple("cinder-manage", "database", cinder.DATABASE, "db", "sync"),
        simple("glance-manage", "database", glance.DATABASE, "db_sync"),
        simple("placement-manage", "placement_database", placement.DATABASE, "db", "sync"),
    ]


def _nova(server: MariaDb) -> Mapping[str, Section]:
    return {
        # Not used: create_cell wants one that it can put into the cell's.
        "DEFAULT": {"transport_url": "rabbit://nobody:nothing@127.0.0.1:1/"},
        "api_database": {"connection": server.url(nova.API_DATABASE)},
        "database": {"connection": server.url(nova.DATABASE)},
    }


def _migrate_nova(programs: Path, configuration: Path) -> None:
    def manage(*command: str) -> None:
        option = f"--config-file={configuration}"
        run_checked([str(programs / "nova-manage"), option, *command], configuration.parent)

    cell = ["--transport-url", _CELL_TRANSPORT, "--database_connection", _CELL_DATABASE]
    manage("api_db", "sync")
    manage("cell_v2", "map_cell0", "--database_connection", _CELL0_DATABASE)
    manage("cell_v2", "create_cell", "--name", _CELL, *cell)
    manage("db", "sync")
    map_host = [str(programs / "python"), "-P", str(_MAP_HOST), str(configuration)]
    run_checked([*map_host, _CELL, HOST_NAME], configuration.parent)
