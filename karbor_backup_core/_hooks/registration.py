"""What is checked before a backend is used: that exactly its own hooks will answer."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import pluggy

from karbor_backup_core._errors import BackendUnavailable, ContractViolation
from karbor_backup_core._hooks.wrapper_guard import create_wrapper_guard
from karbor_backup_core._suggestions import suggest_name
from karbor_backup_core._version import CONTRACT_VERSION
from karbor_backup_core.hookspecs import BACKEND_HOOKS, PROJECT, BackendSpec, ExtensionSpec

_VERSION_PATTERN: Final = re.compile(r"(\d+)\.(\d+)")


def create_plugin_manager(
    name: str, plugin: Any, extensions: Sequence[Any]
) -> pluggy.PluginManager:
    """Return a plugin manager in which one backend answers and extensions look on.

    Args:
        name: the backend's configured name.
        plugin: the backend object.
        extensions: objects, classes or modules that implement ``ExtensionSpec`` or wrap hooks.

    Raises:
        BackendUnavailable: the backend needs a newer contract.
        ContractViolation: a hook is missing, is implemented by anybody else, is not known or
            asks for arguments that are not known.
    """
    what = f"backend {name}"
    _check_declared_contract(what, plugin)
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(BackendSpec)
    manager.add_hookspecs(ExtensionSpec)
    _register_plugin(manager, plugin, what, what)
    for number, extension in enumerate(extensions):
        label = _extension_name(extension)
        unique = label if not manager.has_plugin(label) else f"{label}#{number}"
        _register_plugin(manager, extension, unique, f"extension {label}")
    _check_hooks(manager, plugin, what)
    # Where nobody wraps a hook, nobody can change its answer.
    wrapped = [
        hook for hook in BACKEND_HOOKS if len(getattr(manager.hook, hook).get_hookimpls()) > 1
    ]
    manager.register(create_wrapper_guard(wrapped), "wrapper guard")
    return manager


def create_change_notifier(observer: Any) -> Callable[..., Any]:
    """Return the ``operation_changed`` of one object alone, so that its faults stop no other's."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(ExtensionSpec)
    manager.register(observer)
    return manager.hook.operation_changed


def check_contract_version(what: str, declared: str) -> None:
    """Let a backend pass that was written for a contract that this core speaks.

    Raises:
        BackendUnavailable: it needs a newer minor, or another major version.
        ContractViolation: what it declares is no contract version.
    """
    match = _VERSION_PATTERN.fullmatch(declared) if isinstance(declared, str) else None
    if match is None:
        raise ContractViolation(
            f"{what} declares contract {declared!r}: a contract version is MAJOR.MINOR, "
            f"such as {CONTRACT_VERSION}"
        )
    major, minor = (int(part) for part in match.groups())
    ours, ours_minor = (int(part) for part in CONTRACT_VERSION.split("."))
    if (major, minor) > (ours, ours_minor):
        raise BackendUnavailable(
            f"{what} needs contract >= {declared}, this core speaks {CONTRACT_VERSION}: "
            "upgrade karbor-backup"
        )
    if major != ours:
        raise BackendUnavailable(
            f"{what} speaks contract {declared}, this core {CONTRACT_VERSION}: upgrade the backend"
        )


def _check_declared_contract(what: str, plugin: Any) -> None:
    # Asked directly: a backend for a newer contract may not get through registration, and should
    # be told why it does not.
    describe = getattr(plugin, "describe", None)
    try:
        declared = describe().contract  # type: ignore[misc]
    except Exception:  # noqa: BLE001 - a fault of describe is told when it is called as a hook
        return
    check_contract_version(what, declared)


def _register_plugin(manager: pluggy.PluginManager, plugin: Any, name: str, what: str) -> None:
    try:
        manager.register(plugin, name)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise ContractViolation(_validation_message(manager, plugin, what, error)) from error
    except ValueError as error:
        raise ContractViolation(
            f"{what} is given twice, or equals another one: give each once, and let objects of "
            "its class equal only themselves"
        ) from error


def _validation_message(
    manager: pluggy.PluginManager, plugin: Any, what: str, error: pluggy.PluginValidationError
) -> str:
    known = [name for name in vars(manager.hook) if getattr(manager.hook, name).has_spec()]
    for name in sorted(set(vars(manager.hook)) - set(known)):
        guess = suggest_name(name, known)
        remedy = f"{guess}Otherwise it" if guess else "it"
        return (
            f"{what} implements the hook {name}, which contract {CONTRACT_VERSION} does not "
            f"have: {remedy} needs contract > {CONTRACT_VERSION}: upgrade karbor-backup"
        )
    detail = " ".join(str(error).split())
    return (
        f"{what} ({type(plugin).__name__}) does not fit contract {CONTRACT_VERSION}; if its "
        f"arguments are spelled right, it needs contract > {CONTRACT_VERSION}: {detail}"
    )


def _check_hooks(manager: pluggy.PluginManager, plugin: Any, what: str) -> None:
    faults = [fault for hook in BACKEND_HOOKS for fault in _find_hook_errors(manager, plugin, hook)]
    if faults:
        raise ContractViolation(f"{what}: {'; '.join(faults)}")


def _find_hook_errors(manager: pluggy.PluginManager, plugin: Any, hook: str) -> Iterable[str]:
    own = 0
    for impl in getattr(manager.hook, hook).get_hookimpls():
        if impl.wrapper or impl.hookwrapper:
            continue
        if impl.plugin is plugin:
            own += 1
        else:
            yield f"extension {impl.plugin_name} answers {hook}: an extension may only wrap it"
    if own > 1:
        yield f"{hook} is implemented {own} times: keep one"
    elif not own:
        marked = callable(getattr(plugin, hook, None))
        remedy = "mark the method with @hookimpl, not as a wrapper" if marked else "implement it"
        yield f"{hook} is missing: {remedy}"


def _extension_name(extension: Any) -> str:
    return str(getattr(extension, "__name__", type(extension).__name__))
