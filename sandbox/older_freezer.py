"""Optional parts: the Freezer of an earlier OpenStack release, beside the newest one.

Each has an API of its release with a database of its own, and two schedulers of its release: one of
that API, and one of the newest API, as a cloud has them that is upgraded piece by piece.
"""

import functools
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path

import attrs
import tenacity

from sandbox import freezer, keystone, services
from sandbox.accounts import CLOUDS, DOMAIN, REGION, SERVICE, Account, write_secret
from sandbox.databases import database_url
from sandbox.environments import Environment, ensure_environment
from sandbox.errors import BuildError, ServiceError
from sandbox.instance import Instance
from sandbox.layout import Layout
from sandbox.services import Service, server_environ
from sandbox.state import State
from sandbox.subprocesses import run_checked
from sandbox.wsgi import wsgi_server_command

_REGISTRATION_TIMEOUT = 60.0

_PLACEHOLDERS = {
    "nova": ("compute", "http://127.0.0.1:9/v2.1"),
    "cinder": ("block-storage", "http://127.0.0.1:9/v3"),
    "glance": ("image", "http://127.0.0.1:9/v2"),
}
"""Services that the agent of 18.0.0 wants in the catalog also for a directory, at a dead port."""


@attrs.frozen
class Release:
    """A Freezer before 19.0.0.

    Attributes:
        openstack: the OpenStack release that it came with; names the requirements.
        version: Freezer's version.
        application: the module that has the API's WSGI application.
    """

    openstack: str
    version: str
    application: str

    @property
    def part(self) -> str:
        """The name of the part."""
        return f"freezer-{self.openstack}"


RELEASES = (
    Release("2025.1", "16.0.0", "freezer_api.cmd.wsgi"),
    Release("2025.2", "17.0.0", "freezer_api.cmd.wsgi"),
    Release("2026.1", "18.0.0", "freezer_api.wsgi"),
)
"""The earlier releases, oldest first."""


@attrs.frozen
class OlderFreezer:
    """An older Freezer that is up.

    Attributes:
        version: Freezer's version.
        freezer_url: where its API answers.
        scheduler: the client id of its scheduler at its API.
        scheduler_beside_newest: the client id of its scheduler at the sandbox's own API.
    """

    version: str
    freezer_url: str
    scheduler: str
    scheduler_beside_newest: str


def part_starters() -> Mapping[str, Callable[[Instance], OlderFreezer]]:
    """Return what brings up each part, by the part's name."""
    return {release.part: functools.partial(_bring_up, release) for release in RELEASES}


def _bring_up(release: Release, instance: Instance) -> OlderFreezer:
    """Start the API and the schedulers of a release.

    Raises:
        SandboxError: the environment could not be built, or a server did not come up.
    """
    programs = ensure_environment(instance.project, release.part, instance.report)
    state = instance.state
    _add_placeholders(state)
    configuration = _configure_api(instance.layout, release, programs, state)
    api = instance.start(
        lambda port: _api_service(instance.layout, release, programs, configuration, port)
    )
    older = OlderFreezer(
        version=release.version,
        freezer_url=freezer.url(api.port),
        scheduler=f"{release.part.replace('.', '-')}-own",
        scheduler_beside_newest=f"{release.part.replace('.', '-')}-beside",
    )
    _start_scheduler(instance, programs, older.scheduler, older.freezer_url)
    _start_scheduler(instance, programs, older.scheduler_beside_newest, state.freezer_url)
    return older


def _add_placeholders(state: State) -> None:
    identity = keystone.Identity(state.auth_url, state.accounts["admin"])
    for name in _PLACEHOLDERS.keys() - identity.services():
        service_type, url = _PLACEHOLDERS[name]
        identity.add_service(name, service_type, url)


def _configure_api(layout: Layout, release: Release, programs: Environment, state: State) -> Path:
    """Write the API's configuration and make its database."""
    database = layout.data / f"{release.part}.db"
    configuration = layout.configuration / f"{release.part}-api.conf"
    account = state.accounts[SERVICE]
    write_secret(
        configuration,
        f"""\
[paste_deploy]
config_file = {programs.path / "etc" / "freezer" / "freezer-paste.ini"}
[storage]
driver = sqlalchemy
backend = sqlalchemy
[database]
connection = {database_url(database)}
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
    manage = [str(programs.bin / "freezer-manage"), f"--config-file={configuration}"]
    run_checked([*manage, "db", "sync"], layout.data)
    if not database.exists():
        # Before 19.0.0 freezer-manage ends with status 0 whatever happened.
        raise BuildError(f"freezer-manage of {release.version} has made no database {database}")
    return configuration


def _api_service(
    layout: Layout, release: Release, programs: Environment, configuration: Path, port: int
) -> Service:
    name = f"{release.part}-api"
    return Service(
        name=name,
        command=wsgi_server_command(
            programs.python,
            release.application,
            port,
            f"--config-file={configuration}",
            threads=1,
        ),
        environ=server_environ(layout, programs.bin),
        directory=layout.home,
        log=layout.logs / f"{name}.log",
        port=port,
        health_url=f"{freezer.url(port)}/healthcheck",
    )


def _start_scheduler(
    instance: Instance, programs: Environment, client_id: str, freezer_url: str
) -> None:
    """Start a scheduler and wait until it has registered.

    Raises:
        ServiceError: it did not come up, or did not register.
    """
    state = instance.state
    account = state.accounts[CLOUDS[0]]
    home = instance.layout.scheduler(client_id)
    for directory in (home, home / "jobs", home / "tmp"):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / "scheduler.conf").write_text(
        f"""\
[DEFAULT]
use_stderr = true
client_id = {client_id}
interval = 1
concurrent_jobs = 4
conf = {home / "jobs"}
no_daemon = true
"""
    )
    server = Service(
        name=f"scheduler-{client_id}",
        command=[
            str(programs.bin / "freezer-scheduler"),
            f"--config-file={home / 'scheduler.conf'}",
            "start",
        ],
        environ=server_environ(
            instance.layout,
            programs.bin,
            {
                "HOME": str(home),
                "TMPDIR": str(home / "tmp"),
                **_credential_variables(state.auth_url, account, freezer_url),
            },
        ),
        directory=home,
        log=instance.layout.logs / f"scheduler-{client_id}.log",
        ready_text="Starting in no-daemon mode",
    )
    (started,) = instance.start_all([server])
    try:
        _wait_for_registration(state, account, client_id, freezer_url)
    except ServiceError:
        services.stop_servers([started], instance.layout.records)
        raise


def _credential_variables(auth_url: str, account: Account, freezer_url: str) -> dict[str, str]:
    """Return the variables that scheduler and agent read: the agent reads no file before 19.0.0."""
    return {
        "OS_AUTH_URL": auth_url,
        "OS_USERNAME": account.user,
        "OS_PASSWORD": account.password,
        "OS_PROJECT_NAME": account.project,
        "OS_USER_DOMAIN_ID": DOMAIN,
        "OS_PROJECT_DOMAIN_ID": DOMAIN,
        "OS_REGION_NAME": REGION,
        "OS_ENDPOINT_TYPE": "public",
        "OS_IDENTITY_API_VERSION": "3",
        "OS_BACKUP_URL": freezer_url,
    }


def _wait_for_registration(
    state: State, account: Account, client_id: str, freezer_url: str
) -> None:
    session = keystone.session(state.auth_url, account)
    url = f"{freezer_url}/v2/{session.get_project_id()}/clients/{client_id}"

    def is_registered() -> bool:
        return bool(session.get(url, raise_exc=False).status_code == HTTPStatus.OK)

    wait = tenacity.Retrying(
        stop=tenacity.stop_after_delay(_REGISTRATION_TIMEOUT),
        wait=tenacity.wait_fixed(0.2),
        retry=tenacity.retry_if_result(lambda registered: not registered),
    )
    try:
        wait(is_registered)
    except tenacity.RetryError:
        raise ServiceError(
            f"scheduler-{client_id} did not register with {freezer_url} within "
            f"{_REGISTRATION_TIMEOUT:g} seconds; its log says why"
        ) from None
