"""How the cloud's services are configured: INI files, most of whose sections they share."""

import configparser
from collections.abc import Mapping
from pathlib import Path

from sandbox.accounts import DOMAIN, REGION, SERVICE, write_secret
from sandbox.state import State

Section = Mapping[str, object]

SERVICE_ROLE = "service"
"""The role by which a service tells its own requests from those that it forwards."""


def write_configuration(path: Path, sections: Mapping[str, Section]) -> None:
    """Write an INI file that only its owner can read, since it has passwords."""
    parser = configparser.RawConfigParser(default_section="")
    parser.optionxform = str  # type: ignore[assignment] # as its documentation tells to do
    parser.read_dict(sections)
    write_secret(path, "")
    with path.open("a") as file:
        parser.write(file)


def credentials(state: State) -> dict[str, object]:
    """Return the options with which a service calls another one."""
    account = state.accounts[SERVICE]
    return {
        "auth_type": "password",
        "auth_url": state.auth_url,
        "username": account.user,
        "password": account.password,
        "project_name": account.project,
        "user_domain_id": DOMAIN,
        "project_domain_id": DOMAIN,
        "region_name": REGION,
    }


def token_validation(state: State) -> dict[str, object]:
    """Return the options of `keystone_authtoken`: how a service finds out whose a request is."""
    return {
        **credentials(state),
        "www_authenticate_uri": state.auth_url,
        "service_token_roles": SERVICE_ROLE,
        "service_token_roles_required": True,
    }


def own_token(state: State) -> dict[str, object]:
    """Return the options of `service_user`: a service forwards requests with a token of its own."""
    return {**credentials(state), "send_service_user_token": True}
