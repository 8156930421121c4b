"""The Freezer API: its configuration and its server."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from sandbox import mariadb
from sandbox.accounts import DOMAIN, SERVICE, write_secret
from sandbox.databases import DatabaseKind, DatabaseTemplates, database_url, sync_freezer
from sandbox.environments import Environment
from sandbox.instance import Instance
from sandbox.layout import Layout
from sandbox.ports import HOST
from sandbox.services import Service, server_environ
from sandbox.state import State
from sandbox.wsgi import wsgi_server_command

NAME = "freezer-api"

_SERVERS = Path(__file__).parent / "servers"

# Of requests that write at the same time SQLite refuses all but one, and the API then answers 500.
_THREADS: Mapping[DatabaseKind, int] = {"sqlite": 1, "mariadb": 8}
_APPLICATIONS: Mapping[DatabaseKind, str] = {
    "sqlite": "freezer_on_sqlite",
    "mariadb": "freezer_api.wsgi",
}
_DATABASE = "freezer"


def url(port: int) -> str:
    """Return the URL that is registered in the catalog; clients add version and project."""
    return f"http://{HOST}:{port}"


def bring_up_database(
    instance: Instance, environment: Environment, databases: DatabaseTemplates, kind: DatabaseKind
) -> str:
    """Give an instance its own copy of the database, and return SQLAlchemy's URL of it.

    Raises:
        SandboxError: MariaDB could not be fetched, or did not come up.
    """
    if kind == "mariadb":
        template = mariadb.ensure_template(
            environment.path / "freezer-mariadb",
            instance,
            [_DATABASE],
            lambda server, directory: sync_freezer(environment, directory, server.url(_DATABASE)),
        )
        return mariadb.bring_up(instance, f"{NAME}-mariadb", template).url(_DATABASE)
    database = instance.layout.data / "freezer.db"
    shutil.copyfile(databases.freezer, database)
    return f"{database_url(database)}&plugin=sandbox_one_connection"


def configure(layout: Layout, database: str, state: State) -> None:
    """Write an instance's configuration.

    Args:
        layout: the instance.
        database: SQLAlchemy's URL.
        state: the instance's.
    """
    account = state.accounts[SERVICE]
    paste = state.environment.path / "etc" / "freezer" / "freezer-paste.ini"
    write_secret(
        layout.configuration / "freezer-api.conf",
        f"""\
[paste_deploy]
config_file = {paste}
[database]
connection = {database}
sqlite_synchronous = false
[keystone_authtoken]
auth_url = {state.auth_url}
www_authenticate_uri = {state.auth_url}
auth_type = password
username = {account.user}
password = {account.password}
project_name = {account.project}
user_domain_id = {DOMAIN}
project_domain_id = {DOMAIN}
""",
    )


def service(layout: Layout, python: Path, port: int, kind: DatabaseKind) -> Service:
    """Return the API's server.

    It is not the `freezer-api` command, which answers HTTP/1.0 and so keeps no connection alive.
    """
    configuration = layout.configuration / "freezer-api.conf"
    return Service(
        name=NAME,
        command=wsgi_server_command(
            python,
            _APPLICATIONS[kind],
            port,
            f"--config-file={configuration}",
            threads=_THREADS[kind],
        ),
        environ=server_environ(layout, python.parent, {"PYTHONPATH": str(_SERVERS)}),
        directory=layout.home,
        log=layout.logs / f"{NAME}.log",
        port=port,
        health_url=f"{url(port)}/healthcheck",
    )
