"""The Freezer API: its configuration and its server."""

import shutil
from pathlib import Path

from sandbox.accounts import DOMAIN, SERVICE, write_secret
from sandbox.databases import Databases, database_url
from sandbox.layout import Layout
from sandbox.ports import HOST
from sandbox.services import Service, server_environ
from sandbox.state import State
from sandbox.wsgi import serve_command

NAME = "freezer-api"

# Of requests that write at the same time SQLite refuses all but one, and the API then answers 500.
_THREADS = 1


def url(port: int) -> str:
    """Return the URL that is registered in the catalog; clients add version and project."""
    return f"http://{HOST}:{port}"


def configure(layout: Layout, databases: Databases, state: State) -> None:
    """Give an instance its own copy of the database, and its configuration."""
    account = state.accounts[SERVICE]
    paste = state.environment.path / "etc" / "freezer" / "freezer-paste.ini"
    database = layout.data / "freezer.db"
    shutil.copyfile(databases.freezer, database)
    write_secret(
        layout.configuration / "freezer-api.conf",
        f"""\
[paste_deploy]
config_file = {paste}
[database]
connection = {database_url(database)}
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


def service(layout: Layout, python: Path, port: int) -> Service:
    """Return the API's server.

    It is not the `freezer-api` command, which answers HTTP/1.0 and so keeps no connection alive.
    """
    configuration = layout.configuration / "freezer-api.conf"
    return Service(
        name=NAME,
        command=serve_command(
            python,
            "freezer_api.wsgi",
            port,
            f"--config-file={configuration}",
            threads=_THREADS,
        ),
        environ=server_environ(layout, python.parent),
        directory=layout.home,
        log=layout.logs / f"{NAME}.log",
        port=port,
        health_url=f"{url(port)}/healthcheck",
    )
