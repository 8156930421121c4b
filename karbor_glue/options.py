"""The options that a provider's file may set, one group for each plugin."""

from collections.abc import Sequence
from typing import Any, Final

from keystoneauth1 import loading
from oslo_config import cfg

FREEZER_GROUP: Final = "freezer_protection_plugin"
"""The group of the plugin that Karbor ships, so that a provider's file for it goes on working."""

BACKEND_GROUP: Final = "karbor_backup_plugin"

_COMMON: Final[tuple[Any, ...]] = (
    cfg.IntOpt(
        "poll_interval",
        default=20,
        min=0,
        help="The longest time between two polls of the backend, in seconds. One poll asks for "
        "all operations; the first ones come sooner.",
    ),
    cfg.IntOpt(
        "deadline",
        default=86400,
        min=1,
        help="Seconds that an operation on one resource may take.",
    ),
    cfg.IntOpt(
        "grace",
        default=300,
        min=1,
        help="Seconds that an operation is still waited for after its deadline.",
    ),
    cfg.IntOpt(
        "lease",
        default=60,
        min=1,
        help="Seconds of silence after which a process is taken for dead, so that its operations "
        "can be recovered.",
    ),
    cfg.IntOpt(
        "release",
        default=300,
        min=1,
        help="Seconds that the removal of what a service keeps of a finished operation is waited "
        "for; what is left after that is removed by a delete of the checkpoint or by recovery.",
    ),
    cfg.ListOpt(
        "directories",
        default=[],
        help="The directories that users may have protected and restored, with all that is below "
        "them: absolute paths, separated by commas. Without any, directories are refused.",
    ),
    cfg.StrOpt(
        "configuration_file",
        help="A TOML file with the backend's configuration, as one section of karbor-backup's own "
        "configuration file. What it says goes before the options here.",
    ),
)

_BACKEND: Final[tuple[Any, ...]] = (
    cfg.StrOpt("backend", help="The name of the backend, as `karbor-backup backends` lists it."),
)

_FREEZER: Final[tuple[Any, ...]] = (
    cfg.StrOpt("scheduler_client_id", help="The Freezer scheduler that is to run all jobs."),
    cfg.StrOpt(
        "container",
        default="karbor",
        help="The container that holds one more for each backup; a path where the storage is ssh "
        "or local.",
    ),
    cfg.StrOpt(
        "storage",
        default="swift",
        choices=["swift", "local", "ssh", "s3"],
        help="The kind of storage. Other kinds, and several storages, are named in "
        "configuration_file.",
    ),
    cfg.StrOpt("ssh_key", help="The private key's file on the scheduler's host, for ssh."),
    cfg.StrOpt("ssh_username", help="The user, for ssh."),
    cfg.StrOpt("ssh_host", help="The host, for ssh."),
    cfg.PortOpt("ssh_port", help="The port, for ssh."),
    cfg.StrOpt("endpoint", help="The URL of the S3 service, for s3."),
    cfg.StrOpt("access_key", secret=True, help="The access key, for s3."),
    cfg.StrOpt("secret_key", secret=True, help="The secret key, for s3."),
    cfg.StrOpt("freezer_endpoint", help="Freezer's URL, instead of the catalog's."),
    cfg.StrOpt("region", help="The region whose Freezer is used, where the cloud has several."),
    cfg.IntOpt("timeout", default=30, min=1, help="Seconds that a request to Freezer may take."),
    cfg.StrOpt(
        "cloud",
        help="The entry of clouds.yaml whose credentials are used, instead of the user's own.",
    ),
)

BACKEND_OPTIONS: Final = (*_COMMON, *_BACKEND)
FREEZER_OPTIONS: Final = (*_COMMON, *_FREEZER)


def register_backend(conf: Any) -> Any:
    """Register the group of the plugin over any backend on a provider's configuration."""
    conf.register_opts(BACKEND_OPTIONS, BACKEND_GROUP)
    return conf[BACKEND_GROUP]


def register_freezer(conf: Any) -> Any:
    """Register the Freezer plugin's group, and the credentials that keystoneauth reads there."""
    conf.register_opts(FREEZER_OPTIONS, FREEZER_GROUP)
    loading.register_auth_conf_options(conf, FREEZER_GROUP)
    conf.register_opts(_session_options(), FREEZER_GROUP)
    return conf[FREEZER_GROUP]


def _session_options() -> list[Any]:
    """Return keystoneauth's options of a session, without the timeout, which is one of ours."""
    known = loading.get_session_conf_options()
    return [each for each in known if each.dest not in {option.dest for option in FREEZER_OPTIONS}]


def list_opts() -> Sequence[tuple[str, Sequence[Any]]]:
    """List all options for oslo.config's sample generator."""
    credentials = (
        *loading.get_auth_common_conf_options(),
        *loading.get_auth_plugin_conf_options("password"),
        *_session_options(),
    )
    return [
        (FREEZER_GROUP, (*FREEZER_OPTIONS, *credentials)),
        (BACKEND_GROUP, BACKEND_OPTIONS),
    ]
