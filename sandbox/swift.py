"""The part `swift`: a real Swift in the catalog, for Freezer's storage kind of that name."""

import os
import pwd
import secrets
import subprocess
from collections.abc import Sequence
from pathlib import Path

import attrs

from sandbox import keystone
from sandbox.accounts import DOMAIN, SERVICE, write_secret
from sandbox.environments import Environment, ensure_environment
from sandbox.errors import ServiceError
from sandbox.instance import Instance
from sandbox.ports import HOST
from sandbox.services import Service, server_environ
from sandbox.state import State

STORAGE = ("account", "container", "object")

_MAKE_RINGS = Path(__file__).parent / "servers" / "make_rings.py"


@attrs.frozen
class Swift:
    """What a client needs; it finds the same in the catalog.

    Attributes:
        url: where Swift answers, without version and account.
    """

    url: str


def bring_up(instance: Instance) -> Swift:
    """Start Swift's four servers, with one device and one copy of everything, and register them.

    Raises:
        BuildError: its environment could not be built.
        ServiceError: a server did not come up.
    """
    installed = ensure_environment(instance.project, "swift", instance.report)
    home = instance.layout.configuration / "swift"
    (instance.layout.data / "swift" / "disk").mkdir(parents=True, exist_ok=True)
    home.mkdir(mode=0o700, exist_ok=True)
    write_secret(
        home / "swift.conf", f"[swift-hash]\nswift_hash_path_suffix = {secrets.token_hex(16)}\n"
    )

    def servers(ports: Sequence[int]) -> list[Service]:
        _make_rings(installed, home, ports[:3])
        configurations = [_storage_server(kind) for kind in STORAGE]
        configurations.append(_proxy_server(instance.state))
        kinds = (*STORAGE, "proxy")
        return [
            _server(instance, installed, kind, port, configuration)
            for kind, port, configuration in zip(kinds, ports, configurations, strict=True)
        ]

    *_, proxy = instance.start_all_on_free_ports(servers, len(STORAGE) + 1)
    url = f"http://{HOST}:{proxy.port}"
    state = instance.state
    keystone.Identity(state.auth_url, state.accounts["admin"]).add_service(
        "swift", "object-store", f"{url}/v1/AUTH_%(project_id)s"
    )
    return Swift(url)


def start_tls_proxy(instance: Instance, certificate: Path) -> str:
    """Start a proxy that speaks TLS beside the one of the part; return its URL.

    Args:
        instance: the part `swift` is up in it.
        certificate: a PEM file with the key and the certificate.

    Raises:
        ServiceError: it did not come up.
    """
    installed = ensure_environment(instance.project, "swift", instance.report)
    configuration = (
        f"cert_file = {certificate}\nkey_file = {certificate}\n{_proxy_server(instance.state)}"
    )

    def server(port: int) -> Service:
        made = _server(instance, installed, "proxy", port, configuration, "proxy-tls")
        # Nobody that asks for its health trusts the certificate.
        return attrs.evolve(made, health_url=None)

    return f"https://{HOST}:{instance.start(server).port}"


def _make_rings(installed: Environment, home: Path, ports: Sequence[int]) -> None:
    command = [str(installed.python), "-P", str(_MAKE_RINGS), str(home), *map(str, ports)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ServiceError(f"Swift's rings could not be made.\n{done.stderr}")


def _server(
    instance: Instance,
    installed: Environment,
    kind: str,
    port: int,
    configuration: str,
    label: str = "",
) -> Service:
    layout = instance.layout
    name = f"swift-{label or kind}"
    home = layout.configuration / "swift"
    path = home / f"{label or kind}-server.conf"
    common = _common(port, home, layout.data / "swift", layout.home)
    write_secret(path, f"[DEFAULT]\n{common}{configuration}")
    return Service(
        name=name,
        command=[str(installed.bin / f"swift-{kind}-server"), str(path), "--verbose"],
        environ=server_environ(layout, installed.bin),
        directory=home,
        log=layout.logs / f"{name}.log",
        port=port,
        health_url=f"http://{HOST}:{port}/healthcheck",
    )


def _common(port: int, home: Path, devices: Path, scratch: Path) -> str:
    # Port 9 throws datagrams away; left alone, Swift writes to the machine's syslog.
    return f"""\
bind_ip = {HOST}
bind_port = {port}
bind_timeout = 1
workers = 0
user = {pwd.getpwuid(os.geteuid()).pw_name}
swift_dir = {home}
devices = {devices}
mount_check = false
recon_cache_path = {scratch}
recon_lock_path = {scratch}
log_udp_host = {HOST}
log_udp_port = 9
"""


def _storage_server(kind: str) -> str:
    return f"""\
[pipeline:main]
pipeline = healthcheck {kind}-server
[filter:healthcheck]
use = egg:swift#healthcheck
[app:{kind}-server]
use = egg:swift#{kind}
"""


def _proxy_server(state: State) -> str:
    account = state.accounts[SERVICE]
    credentials = f"""\
auth_url = {state.auth_url}
auth_type = password
username = {account.user}
password = {account.password}
project_name = {account.project}
user_domain_id = {DOMAIN}
project_domain_id = {DOMAIN}
"""
    # After s3token, authtoken would take away the identity that s3token has found out.
    return f"""\
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck listing_formats bulk authtoken s3api s3token \
keystoneauth slo dlo copy proxy-server
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
www_authenticate_uri = {state.auth_url}
delay_auth_decision = true
{credentials}
[filter:s3api]
use = egg:swift#s3api
[filter:s3token]
use = egg:swift#s3token
auth_uri = {state.auth_url}
secret_cache_duration = 0
{credentials}
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:copy]
use = egg:swift#copy
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
"""
