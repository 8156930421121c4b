"""Who may do what in the sandbox's cloud, and the `clouds.yaml` that says so to every tool."""

import secrets
from collections.abc import Iterable
from pathlib import Path

import attrs

REGION = "RegionOne"
DOMAIN = "default"
SERVICE = "service"
CLOUDS = ("demo", "other", "admin")
"""The clouds in `clouds.yaml`: two projects with a member each, and the administrator."""


@attrs.frozen
class Account:
    """A user in a project.

    Attributes:
        user: its name; also the name of the cloud in `clouds.yaml`.
        project: the name of the project it works in.
        role: its role there.
        password: made at random for each sandbox.
    """

    user: str
    project: str
    role: str
    password: str = attrs.field(factory=lambda: secrets.token_hex(16), repr=False)


def make_accounts() -> dict[str, Account]:
    """Return the accounts of a new sandbox, by user.

    `demo` and `other` are two projects that know nothing of each other; `service` is what the
    servers validate tokens with.
    """
    accounts = (
        Account("admin", "admin", "admin"),
        Account(SERVICE, "service", "admin"),
        Account("demo", "demo", "member"),
        Account("other", "other", "member"),
    )
    return {account.user: account for account in accounts}


def write_clouds_yaml(
    path: Path, accounts: Iterable[Account], auth_url: str, *, freezer_url: str | None = None
) -> None:
    """Write one cloud for each account, readable by the owner only.

    Args:
        path: the file.
        accounts: the clouds are named for their users.
        auth_url: Keystone's.
        freezer_url: where the Freezer API is, if not where the catalog says.
    """
    override = f'\n    backup_endpoint_override: "{freezer_url}"' if freezer_url else ""
    clouds = "".join(
        f"""\
  {account.user}:
    auth:
      auth_url: "{auth_url}"
      username: "{account.user}"
      password: "{account.password}"
      project_name: "{account.project}"
      user_domain_id: "{DOMAIN}"
      project_domain_id: "{DOMAIN}"
    region_name: "{REGION}"
    identity_api_version: 3{override}
"""
        for account in accounts
    )
    write_secret(path, f"clouds:\n{clouds}")


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner can read, also while it is being written."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_text(text)
