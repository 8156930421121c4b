"""What Karbor is told of types and options when its daemon starts, before any provider is read.

Karbor's API checks only whether it knows the names of parameters. The core checks the rest when
the operation begins, with the very backend that the provider's file names.
"""

import functools
from collections.abc import Collection, Mapping
from typing import Any, Final

from karbor_backup_core import Backend, BackendInfo, KarborBackupError, Verb
from karbor_backup_core.discovery import installed_backends
from karbor_glue._parameters import parse_parameters

VOLUME: Final = "OS::Cinder::Volume"

VOLUMES_OPTION: Final = "include_volumes"
"""The option by which a backend is told to back a server up with its volumes."""

TYPES: Final = (
    "OS::Keystone::Project",
    "OS::Nova::Server",
    VOLUME,
    "OS::Glance::Image",
    "OS::Neutron::Network",
)
"""The types that the specification asks for; they stand even where no backend can be loaded."""


_SPECIFIED_PROPERTIES: Final[Mapping[Verb, Mapping[str, Mapping[str, Any]]]] = {
    Verb.PROTECT: {
        "backup_name": {
            "type": "string",
            "title": "Backup Name",
            "description": "The name of the backup.",
        },
        "description": {
            "type": "string",
            "title": "Description",
            "description": "The description of the backup.",
        },
    },
    Verb.RESTORE: {
        "restore_name": {
            "type": "string",
            "title": "Restore Resource Name",
            "description": "The name of the restore resource ",
        },
    },
}
"""The properties of the specification's schemas; the first one of each is required there."""

_JSON_TYPES: Final = (
    (bool, "boolean"),
    (int, "integer"),
    (float, "number"),
    (list, "array"),
    (Mapping, "object"),
    (object, "string"),
)


def resource_types(backend: str | None) -> list[str]:
    """List the resource types of one backend, or of all installed ones."""
    declared = {kind for info in _describe_backends(backend) for kind in info.abilities}
    return [*TYPES, *sorted(declared - set(TYPES))]


def options_schema(backend: str | None, verb: Verb, resource_type: str) -> dict[str, Any]:
    """Describe the options of a verb; those of several backends are put together."""
    found = [
        info.abilities[resource_type][verb].schema
        for info in _describe_backends(backend)
        if verb in info.abilities.get(resource_type, {})
    ]
    specified = _SPECIFIED_PROPERTIES.get(verb, {})
    properties: dict[str, Any] = dict(specified)
    for each in found:
        properties = {**each.get("properties", {}), **properties}
    titles = [each["title"] for each in found if "title" in each]
    return {
        "title": titles[0] if len(titles) == 1 else f"{verb.value.capitalize()} {resource_type}",
        "type": "object",
        "properties": {name: _adapt_for_dashboard(each) for name, each in properties.items()},
        "required": list(specified)[:1],
    }


def _adapt_for_dashboard(subschema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a property so that Karbor's dashboard shows a field for it.

    It shows none for a property without ``type``, and sends a default of None as a null, which
    Karbor's API refuses (karbor-dashboard 1.5.1).
    """
    known = {key: value for key, value in subschema.items() if (key, value) != ("default", None)}
    examples = [*known.get("enum", ()), known.get("const", "")]
    inferred = next(name for kind, name in _JSON_TYPES if isinstance(examples[0], kind))
    return {"type": inferred, **known}


def fill_defaults(
    wanted: Mapping[str, Any], parameters: Mapping[str, Any], name: str, within: Collection[str]
) -> dict[str, Any]:
    """Complete the parameters of a plan, which Karbor lets a user leave out.

    Karbor adds a server's volumes to every plan that names the server; only a backup that holds
    both brings back a server that uses the restored volumes.

    Args:
        wanted: the backend's schema.
        parameters: the parameters as Karbor hands them over (see ``parse_parameters``).
        name: what to call the backup or the restored resource.
        within: the types of the resources that belong to this one in the checkpoint.
    """
    values = parse_parameters(wanted, parameters)
    for key in ("backup_name", "restore_name"):
        if key in wanted.get("required", ()):
            values.setdefault(key, name)
    if VOLUMES_OPTION in wanted.get("properties", ()) and VOLUME in within:
        values.setdefault(VOLUMES_OPTION, True)
    return values


@functools.cache
def _describe_backends(backend: str | None) -> tuple[BackendInfo, ...]:
    """Describe the backends that can be described without a configuration."""
    found = []
    for each in installed_backends():
        if each.plugin_class is None or backend not in (None, each.name):
            continue
        try:
            found.append(Backend.load(each.name, each.plugin_class, {}).info)
        except KarborBackupError:
            continue  # it needs a configuration, which is read when an operation begins
    return tuple(found)
