"""Credentials by openstacksdk's loader, and what is said where they name what is not there."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from karbor_backup_core import InvalidInput, suggest_name
from karbor_backup_openstack.clouds_yaml import describe_unreadable_files
from karbor_backup_openstack.configuration import DEFAULT_TIMEOUT, CloudConfiguration

if TYPE_CHECKING:
    from openstack.config import OpenStackConfig
    from openstack.config.cloud_region import CloudRegion

_HINT: Final = (
    "name a cloud with --os-cloud, as cloud in the backend's section, or in OS_CLOUD; "
    "or set OS_AUTH_URL, OS_USERNAME, OS_PASSWORD and OS_PROJECT_NAME"
)

_WITH_PASSWORD: Final = (None, "password", "v3password")
_USERS: Final = {"username", "user_name", "user_id"}


def load_region(configuration: CloudConfiguration) -> tuple["CloudRegion", str]:
    """Return the cloud that the configuration names, or else ``OS_CLOUD`` or ``OS_*``.

    Beside it is where it is from, for people: the cloud's name and its file.

    Its session is made, Keystone is not asked.

    Raises:
        InvalidInput: there are no credentials, or no such cloud or region, or they are incomplete.
    """
    from keystoneauth1.exceptions.auth_plugins import AuthPluginException, MissingRequiredOptions
    from openstack import config, exceptions
    from openstack.config.loader import CONFIG_FILES, SECURE_FILES
    from yaml import YAMLError

    from karbor_backup_openstack.session import CloudSession

    loader = None
    try:
        loader = config.OpenStackConfig(
            # Lists of its own: openstacksdk 4.4 adds to those that it is given or has.
            config_files=list(CONFIG_FILES),
            secure_files=list(SECURE_FILES),
            session_constructor=CloudSession,
        )
        _check_cloud(loader, configuration.cloud)
        region = loader.get_one(**_loader_arguments(configuration))
        if region.config.get("api_timeout") is None:
            region.config["api_timeout"] = DEFAULT_TIMEOUT
        # Asked for now, since it is what tells that credentials are incomplete.
        region.get_session()
        lacking = _lacking(region)
    except MissingRequiredOptions as error:
        lacking = [option.dest for option in error.options]
        raise InvalidInput(
            _missing_options_message(loader, configuration.cloud, lacking)
        ) from error
    except (YAMLError, UnicodeDecodeError) as error:
        # openstacksdk 4.4 lets its parser's errors through, later ones swallow them.
        raise InvalidInput(
            f"OpenStack credentials: {describe_unreadable_files() or error}"
        ) from error
    except (exceptions.ConfigException, AuthPluginException) as error:
        skipped = describe_unreadable_files()
        reason = f"{skipped}; so: {error}" if skipped else str(error)
        where = f" ({_describe_clouds(loader)})" if loader is not None else ""
        message = " ".join(reason.split()).rstrip(".")
        message = f"{message}{_suggest_region(loader, configuration)}"
        raise InvalidInput(f"OpenStack credentials: {message}{where}") from error
    if lacking:
        raise InvalidInput(_missing_options_message(loader, configuration.cloud, lacking))
    return region, _source(loader, region)


def _suggest_region(loader: "OpenStackConfig | None", configuration: CloudConfiguration) -> str:
    """Return a question for openstacksdk's message about a region that the cloud does not have."""
    if loader is None or configuration.region is None:
        return ""
    cloud = loader.cloud_config["clouds"].get(configuration.cloud or loader.default_cloud) or {}
    regions = cloud.get("regions") or ()
    names = [each["name"] if isinstance(each, dict) else str(each) for each in regions]
    if configuration.region in names:
        return ""
    return f": {guess}" if (guess := suggest_name(configuration.region, names).strip()) else ""


def _source(loader: "OpenStackConfig", region: "CloudRegion") -> str:
    if region.name == loader.envvar_key:
        return "the cloud that OS_* name"
    return f"cloud {region.name!r} ({loader.config_filename or 'no file'})"


def _lacking(region: "CloudRegion") -> list[str]:
    """Return what a login with a password needs, and was not given.

    The loader of keystoneauth requires the URL alone. Without a password its plugin raises a bare
    ``Exception`` at the first request (5.18), and without a user Keystone does not say what lacks.
    """
    if region.config.get("auth_type") not in _WITH_PASSWORD:
        return []
    auth = region.config.get("auth", {})
    given = {name.replace("-", "_") for name, value in auth.items() if value not in (None, "")}
    lacking = [] if given & _USERS else ["username"]
    return lacking if "password" in given else [*lacking, "password"]


def _loader_arguments(configuration: CloudConfiguration) -> dict[str, Any]:
    named = {
        "cloud": configuration.cloud,
        "region_name": configuration.region,
        "interface": configuration.interface,
        "api_timeout": configuration.timeout,
    }
    return {key: value for key, value in named.items() if value is not None}


def _check_cloud(loader: "OpenStackConfig", asked: str | None) -> None:
    """Let a cloud pass that there is; openstacksdk's own words do not name the others.

    Raises:
        InvalidInput: there is no cloud of that name, or none is named and there are several.
    """
    cloud = asked or loader.default_cloud
    if cloud and cloud in loader.cloud_config["clouds"]:
        return
    skipped = describe_unreadable_files()
    because = f"{skipped}; so: " if skipped else ""
    if cloud:
        guess = suggest_name(cloud, _cloud_names(loader))
        message = f"there is no cloud {cloud!r}: {guess}{_describe_clouds(loader)}"
    else:
        message = f"no cloud is named ({_describe_clouds(loader)}): {_HINT}"
    raise InvalidInput(f"OpenStack credentials: {because}{message}")


def _missing_options_message(
    loader: "OpenStackConfig | None", asked: str | None, lacking: list[str]
) -> str:
    """Describe which options are missing, or, without any, in which ways they can be given."""
    skipped = describe_unreadable_files()
    because = f"{skipped}; so: " if skipped else ""
    names = ", ".join(lacking)
    cloud = asked or (loader.default_cloud if loader is not None else None)
    if loader is None or cloud in (None, "defaults"):
        known = _describe_clouds(loader) if loader is not None else names
        return f"OpenStack credentials: {because}there are none ({known}): {_HINT}"
    if cloud == loader.envvar_key:
        variables = ", ".join(f"OS_{name.upper()}" for name in lacking)
        return (
            f"OpenStack credentials: {because}the environment has OS_* without {variables} "
            f"({_describe_clouds(loader)}): set it, or {_HINT.partition(';')[0]}"
        )
    return (
        f"OpenStack credentials: {because}cloud {cloud!r} lacks {names} "
        f"({_describe_clouds(loader)}): write it into the cloud's part 'auth'"
    )


def _describe_clouds(loader: "OpenStackConfig") -> str:
    """Describe which clouds there are, and in which file."""
    file = loader.config_filename
    named = os.environ.get("OS_CLIENT_CONFIG_FILE")
    gone = named and not Path(named).exists()
    absent = f"OS_CLIENT_CONFIG_FILE names {named}, which is not there; " if gone else ""
    if not file:
        return f"{absent}no clouds.yaml was found here, in ~/.config/openstack or /etc/openstack"
    known = ", ".join(_cloud_names(loader)) or "no cloud"
    return f"{absent}{file} has: {known}"


def _cloud_names(loader: "OpenStackConfig") -> list[str]:
    """Return the names by which a person may ask for a cloud."""
    return sorted(set(loader.get_cloud_names()) - {loader.envvar_key, "defaults"})
