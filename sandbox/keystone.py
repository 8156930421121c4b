"""Keystone: its configuration, its server, and what is registered in it."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import requests
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

from sandbox.accounts import DOMAIN, REGION, Account
from sandbox.databases import BOOTSTRAP_USER, DatabaseTemplates, database_url
from sandbox.keystone_keys import make_keys
from sandbox.layout import Layout
from sandbox.ports import HOST
from sandbox.services import Service, server_environ
from sandbox.state import State
from sandbox.wsgi import wsgi_server_command

NAME = "keystone"

_THREADS = 8


def auth_url(port: int) -> str:
    """Return the URL that clients authenticate at."""
    return f"http://{HOST}:{port}/v3"


def configure(layout: Layout, databases: DatabaseTemplates) -> None:
    """Give an instance its own copy of the database, its own keys and its configuration."""
    database = layout.data / "keystone.db"
    shutil.copyfile(databases.keystone, database)
    (layout.configuration / "keystone.conf").write_text(f"""\
[database]
connection = {database_url(database)}
sqlite_synchronous = false
[token]
provider = fernet
[identity]
# The passwords are random and live for minutes.
password_hash_rounds = 4
{make_keys(layout.configuration)}""")


def service(layout: Layout, python: Path, port: int) -> Service:
    """Return Keystone's server."""
    configuration = {
        "OS_KEYSTONE_CONFIG_DIR": str(layout.configuration),
        "OS_KEYSTONE_CONFIG_FILES": "keystone.conf",
    }
    return Service(
        name=NAME,
        command=wsgi_server_command(python, "keystone.wsgi.api", port, threads=_THREADS),
        environ=server_environ(layout, python.parent, configuration),
        directory=layout.home,
        log=layout.logs / f"{NAME}.log",
        port=port,
        health_url=auth_url(port),
    )


def session(auth_url: str, account: Account) -> Session:
    """Return a session in which requests are made in an account's name."""
    credentials = Password(
        auth_url=auth_url,
        username=account.user,
        password=account.password,
        project_name=account.project,
        user_domain_id=DOMAIN,
        project_domain_id=DOMAIN,
    )
    connections = requests.Session()
    connections.trust_env = False  # no proxy stands before loopback
    return Session(auth=credentials, session=connections)


class Identity:
    """What the sandbox says to Keystone, as an administrator."""

    def __init__(self, auth_url: str, administrator: Account) -> None:
        self._api = Adapter(session(auth_url, administrator), endpoint_override=auth_url)

    def add_accounts(self, accounts: Iterable[Account]) -> None:
        """Create each account's user and, where it is new, its project, and give it its role."""
        roles = self._ids("roles")
        for account in accounts:
            projects = self._ids("projects")
            project = projects.get(account.project) or self._create(
                "project", name=account.project, domain_id=DOMAIN
            )
            user = self._create(
                "user",
                name=account.user,
                password=account.password,
                domain_id=DOMAIN,
                default_project_id=project,
            )
            self._api.put(f"/projects/{project}/users/{user}/roles/{roles[account.role]}")

    def grant(self, account: Account, role: str) -> None:
        """Give an account one more role in its project."""
        project, user = self._ids("projects")[account.project], self._ids("users")[account.user]
        self._api.put(f"/projects/{project}/users/{user}/roles/{self._ids('roles')[role]}")

    def services(self) -> set[str]:
        """Return the names of the services in the catalog."""
        return set(self._ids("services"))

    def remove_service(self, name: str) -> None:
        """Take a service with its endpoints out of the catalog, if it is there."""
        identifier = self._ids("services").get(name)
        if identifier is not None:
            self._api.delete(f"/services/{identifier}")

    def remove_user(self, name: str) -> None:
        """Delete a user, and with it all its tokens."""
        self._api.delete(f"/users/{self._ids('users')[name]}")

    def add_service(self, name: str, service_type: str, url: str) -> None:
        """Register a service with the same URL for all its interfaces."""
        created = self._create("service", name=name, type=service_type)
        for interface in ("public", "internal", "admin"):
            self._create(
                "endpoint", service_id=created, interface=interface, region_id=REGION, url=url
            )

    def _create(self, kind: str, **attributes: Any) -> str:
        answer = self._api.post(f"/{kind}s", json={kind: attributes}).json()
        identifier: str = answer[kind]["id"]
        return identifier

    def _ids(self, kinds: str) -> dict[str, str]:
        return {each["name"]: each["id"] for each in self._api.get(f"/{kinds}").json()[kinds]}


def make_ec2_keys(auth_url: str, account: Account) -> tuple[str, str]:
    """Return the access key and the secret key that an account has been given for S3."""
    own = session(auth_url, account)
    url = f"{auth_url}/users/{own.get_user_id()}/credentials/OS-EC2"
    answer = own.post(url, json={"tenant_id": own.get_project_id()}, log=False).json()
    return answer["credential"]["access"], answer["credential"]["secret"]


def populate(databases: DatabaseTemplates, state: State) -> None:
    """Register the sandbox's users and services, and remove the database's own administrator."""
    bootstrap = Account(BOOTSTRAP_USER, "admin", "admin", databases.bootstrap_password)
    identity = Identity(state.auth_url, bootstrap)
    identity.add_accounts(state.accounts.values())
    identity.add_service("keystone", "identity", state.auth_url)
    identity.add_service("freezer", "backup", state.freezer_url)
    identity.remove_user(bootstrap.user)
