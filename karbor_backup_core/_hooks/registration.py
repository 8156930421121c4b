"""What is checked before a backend is used: that exactly its own hooks will answer."""

import re
from collections.abc import Iterable
from typing import Any, Final

import pluggy

from karbor_backup_core._errors import BackendUnavailable, ContractViolation
from karbor_backup_core._suggestions import suggest_name
from karbor_backup_core._version import CONTRACT_VERSION
from karbor_backup_core.hookspecs import (
    BACKEND_HOOKS,
    OPTIONAL_HOOKS,
    PROJECT,
    BackendSpec,
    ExtensionSpec,
)

_VERSION_PATTERN: Final = re.compile(r"(\d+)\.(\d+)")

_OPTIONAL_HOOKS_SINCE: Final = (1, 1)
"""The contract version that has brought the first of them."""


def create_plugin_manager(what: str, plugin: Any) -> pluggy.PluginManager:
    """Return a plugin manager in which one backend implements every hook, once.

    Args:
        what: the backend, in words.
        plugin: the backend object; it may implement the hooks of an extension, too.

    Raises:
        BackendUnavailable: the backend needs a newer contract.
        ContractViolation: a hook is missing or not known, or asks for arguments that are not known.
    """
    try:
        manager = _register_plugin(what, plugin, BackendSpec, ExtensionSpec)
        _check_hooks(what, manager, plugin)
    except ContractViolation:
        _check_declared_contract(what, plugin)
        raise
    return manager


def check_optional_hooks(what: str, plugin: Any, declared: str) -> None:
    """Let a backend pass whose optional hooks are marked as hooks.

    A backend that was written for an earlier contract may have methods of these names for itself.

    Raises:
        ContractViolation: one is not, and would never be called.
    """
    if parse_contract_version(what, declared) < _OPTIONAL_HOOKS_SINCE:
        return
    for hook in OPTIONAL_HOOKS:
        method = getattr(plugin, hook, None)
        if callable(method) and not hasattr(method, f"{PROJECT}_impl"):
            raise ContractViolation(f"{what}: {hook} is no hook: mark the method with @hookimpl")


def register_extension(what: str, extension: Any) -> pluggy.PluginManager:
    """Return a plugin manager of one extension alone.

    Raises:
        ContractViolation: it is a class, implements no hook or one that there is not, or asks for
            an argument that there is not.
    """
    if isinstance(extension, type):
        raise ContractViolation(f"{what} is a class: give an instance of it")
    manager = _register_plugin(what, extension, ExtensionSpec)
    if not manager.get_hookcallers(extension):
        raise ContractViolation(f"{what} implements no hook: mark its methods with @hookimpl")
    return manager


def _register_plugin(what: str, plugin: Any, *specifications: type) -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    for specification in specifications:
        manager.add_hookspecs(specification)
    try:
        manager.register(plugin)
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        raise ContractViolation(_validation_message(manager, plugin, what, error)) from error
    return manager


def check_contract_version(what: str, declared: str) -> None:
    """Let a backend pass that was written for a contract that this core speaks.

    Raises:
        BackendUnavailable: it needs a newer minor, or another major version.
        ContractViolation: what it declares is no contract version.
    """
    major, minor = parse_contract_version(what, declared)
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


def parse_contract_version(what: str, declared: str) -> tuple[int, int]:
    """Return the major and the minor version that a backend declares.

    Raises:
        ContractViolation: what it declares is no contract version.
    """
    match = _VERSION_PATTERN.fullmatch(declared) if isinstance(declared, str) else None
    if match is None:
        raise ContractViolation(
            f"{what} declares contract {declared!r}: a contract version is MAJOR.MINOR, "
            f"such as {CONTRACT_VERSION}"
        )
    return int(match[1]), int(match[2])


def _check_declared_contract(what: str, plugin: Any) -> None:
    """Say of a backend that cannot be registered if it was written for another contract."""
    try:
        declared = plugin.describe().contract
    except Exception:  # noqa: BLE001 - the reason why it cannot be registered says more
        return
    check_contract_version(what, declared)


def _validation_message(
    manager: pluggy.PluginManager, plugin: Any, what: str, error: pluggy.PluginValidationError
) -> str:
    known = [name for name in vars(manager.hook) if getattr(manager.hook, name).has_spec()]
    for name in sorted(set(vars(manager.hook)) - set(known)):
        if name in BACKEND_HOOKS:
            return f"{what} implements {name}: only a backend does; an extension has {known}"
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


def _check_hooks(what: str, manager: pluggy.PluginManager, plugin: Any) -> None:
    faults = [each for hook in BACKEND_HOOKS for each in _find_errors(manager, plugin, hook)]
    if faults:
        raise ContractViolation(f"{what}: {'; '.join(faults)}")


def _find_errors(manager: pluggy.PluginManager, plugin: Any, hook: str) -> Iterable[str]:
    found = getattr(manager.hook, hook).get_hookimpls()
    wrappers = [impl for impl in found if impl.wrapper or impl.hookwrapper]
    if not found and hook in OPTIONAL_HOOKS:
        return
    if wrappers or (not found and callable(getattr(plugin, hook, None))):
        yield f"{hook} is missing: mark the method with @hookimpl, not as a wrapper"
    elif not found:
        yield f"{hook} is missing: implement it"
    elif len(found) > 1:
        yield f"{hook} is implemented {len(found)} times: keep one"
