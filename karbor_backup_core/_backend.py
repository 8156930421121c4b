"""One configured backend: every call of its hooks goes through here, every answer is checked."""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs

from karbor_backup_core._errors import (
    ContractViolation,
    InvalidDocument,
    InvalidInput,
    Unsupported,
)
from karbor_backup_core._hooks.exception_sanitizer import sanitize_exception
from karbor_backup_core._hooks.hook_caller import HookCaller
from karbor_backup_core._hooks.registration import check_optional_hooks
from karbor_backup_core._hooks.result_checks import (
    POLL_STATES,
    RELEASE_STATES,
    VERB_STATES,
    check_dependents,
    check_info,
    check_place,
    check_progress,
    check_shared_resources,
    check_type,
    sanitize_health,
    sanitize_progress,
)
from karbor_backup_core._hooks.text_sanitizer import sanitize_text
from karbor_backup_core._model import (
    Ability,
    BackendInfo,
    Backup,
    Health,
    Operation,
    Place,
    Progress,
    ProgressState,
    SharedResource,
    Support,
    Verb,
)
from karbor_backup_core._suggestions import suggest_name
from karbor_backup_core._verbs import to_verb
from karbor_backup_core.secrets import Secret, find_secrets, redact, wrap_secrets

if TYPE_CHECKING:
    from karbor_backup_core.json_schema.validator import Validator

SAME_AS: Final = "same_as"
"""The key of any backend's configuration under which further names of its scope stand."""

SAME_AS_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {SAME_AS: {"type": "array", "items": {"type": "string", "minLength": 1}}},
}

_log: Final = logging.getLogger("karbor_backup.backend")


@attrs.frozen(eq=False)
class Backend:
    """A backend behind a plugin manager of its own; made by ``load`` or ``from_plugin``.

    Its methods may be called from any thread, but for ``poll``, which must not overlap itself.
    What they raise is a ``KarborBackupError`` whose message holds no configured secret:
    ``BackendError`` for whatever the backend raises that the contract does not name, and
    ``ContractViolation`` for an answer that the contract forbids.

    Attributes:
        name: the configured name.
        info: what the backend says of itself.
        same_as: further scopes that the configuration says are the one that it looks at.
    """

    name: str
    info: BackendInfo
    _hooks: HookCaller = attrs.field(repr=False)
    _validators: Mapping[tuple[str, Verb], "Validator"] = attrs.field(repr=False)
    same_as: frozenset[str] = frozenset()

    @classmethod
    def load(
        cls,
        name: str,
        plugin: Callable[..., Any] | str | None = None,
        configuration: Mapping[str, Any] | None = None,
        extensions: Iterable[Any] | None = None,
        **arguments: Any,
    ) -> "Backend":
        """Make a backend from its class and its configuration. The service is not asked.

        Args:
            name: the configured name.
            plugin: the backend's class, with its ``CONFIG_SCHEMA``, or the name of its entry point;
                that is ``name`` if None.
            configuration: fits that schema; a secret is text or a reference to it. Empty if None.
            extensions: objects that implement hooks of ``ExtensionSpec``; not shared with a
                backend in use elsewhere, since ``operation_changed`` comes one at a time only
                within a backend. If None, new
                instances of all installed ones where the backend is loaded by its entry point,
                and none otherwise.
            **arguments: for the backend's class, beside the configuration.

        Raises:
            UnknownBackend: no backend has an entry point of that name.
            InvalidDocument: the configuration does not fit, with all faults.
            InvalidInput: the configuration does not make sense to the backend, or an argument is
                of another type than it should be.
            BackendUnavailable: the backend needs another contract.
            BackendError: the backend cannot be made or cannot describe itself.
            ContractViolation: the backend or an extension is not as the contract asks.
        """
        if not isinstance(name, str) or not name:
            raise InvalidInput(f"backend {name!r}: give its configured name, a text")
        if isinstance(extensions, str) or not isinstance(extensions, Iterable | None):
            raise InvalidInput(f"extensions {extensions!r}: give a list of objects")
        if not isinstance(configuration, Mapping | None):
            kind = type(configuration).__name__
            raise InvalidDocument(
                f"configuration of backend {name}", [f"$: expected an object, got {kind}"]
            )
        if plugin is None or isinstance(plugin, str):
            from karbor_backup_core.discovery import backend_class, load_extensions

            plugin = backend_class(plugin or name)
            extensions = load_extensions() if extensions is None else extensions
        configuration = {} if configuration is None else configuration
        schema = getattr(plugin, "CONFIG_SCHEMA", None)
        if not isinstance(schema, Mapping):
            raise ContractViolation(
                f"backend {name}: its class has no CONFIG_SCHEMA: give it a JSON Schema, "
                '{"type": "object"} if there is nothing to configure'
            )
        from karbor_backup_core.json_schema.subschemas import allow_secret_references
        from karbor_backup_core.json_schema.validator import Validator

        what = f"configuration of backend {name}"
        Validator(SAME_AS_SCHEMA, what).check(
            {k: v for k, v in configuration.items() if k == SAME_AS}
        )
        same_as = frozenset(configuration.get(SAME_AS, ()))
        configuration = {key: value for key, value in configuration.items() if key != SAME_AS}
        Validator(allow_secret_references(schema), what).check(configuration)
        settings = wrap_secrets(schema, configuration)
        secrets = tuple(find_secrets(settings))
        try:
            instance = plugin(settings, **arguments)
        except Exception as error:  # noqa: BLE001 - whatever a backend's constructor raises
            failure = sanitize_exception(f"backend {name} cannot be made", error, secrets)
        else:
            return cls.from_plugin(name, instance, extensions or (), secrets, same_as)
        raise failure

    @classmethod
    def from_plugin(
        cls,
        name: str,
        plugin: Any,
        extensions: Iterable[Any] = (),
        secrets: Sequence[Secret] = (),
        same_as: Collection[str] = (),
    ) -> "Backend":
        """Put a backend object that exists already behind its plugin manager.

        Args:
            name: the configured name.
            plugin: the backend object.
            extensions: as for ``load``.
            secrets: what to take out of the texts of the backend.
            same_as: further scopes that are the one that it looks at.

        Raises:
            BackendUnavailable: the backend needs another contract.
            ContractViolation: the backend or an extension is not as the contract asks.
            BackendError: the backend cannot describe itself.
        """
        from karbor_backup_core.json_schema.validator import Validator

        hooks = HookCaller.register(name, plugin, extensions, secrets)
        info = check_info(f"backend {name}: describe", hooks.call("describe"))
        check_optional_hooks(f"backend {name}", plugin, info.contract)
        declared = {
            (resource_type, verb): ability
            for resource_type, verbs in info.abilities.items()
            for verb, ability in verbs.items()
        }
        declared |= {(action, Verb.MAINTAIN): each for action, each in info.maintenance.items()}
        supported = {
            verb for (_, verb), each in declared.items() if each.support is Support.SUPPORTED
        }
        for verb in sorted(supported):
            if not hooks.implements(verb):
                raise ContractViolation(
                    f"backend {name} declares {verb}: implement the hook {verb}"
                )
        validators = {
            (resource_type, verb): Validator(
                ability.schema, f"options for {verb} of {resource_type} with backend {name}"
            )
            for (resource_type, verb), ability in declared.items()
        }
        for validator in validators.values():
            validator.prepare()
        return cls(name, info, hooks, validators, frozenset(same_as))

    def ability(self, resource_type: str, verb: Verb) -> Ability:
        """Return what the backend does with a verb for a type; what it does not say is no.

        For a maintenance the type is the action.

        Raises:
            InvalidInput: there is no such verb.
        """
        verb = to_verb(verb)
        if verb is Verb.MAINTAIN:
            return self._maintenance_ability(resource_type)
        declared = self.info.abilities.get(resource_type, {}).get(verb)
        if declared is not None:
            return declared
        known = ", ".join(sorted(self.info.abilities)) or "none"
        guess = suggest_name(resource_type, self.info.abilities)
        reason = f"it does not declare {verb} for {resource_type}: {guess}its types are: {known}"
        return Ability(Support.UNSUPPORTED, reason=reason)

    def _maintenance_ability(self, action: str) -> Ability:
        declared = self.info.maintenance.get(action)
        if declared is not None:
            return declared
        known = ", ".join(sorted(self.info.maintenance)) or "none"
        guess = suggest_name(action, self.info.maintenance)
        return Ability(Support.UNSUPPORTED, reason=f"{guess}its maintenance is: {known}")

    def require_ability(self, resource_type: str, verb: Verb) -> Ability:
        """Return what the backend does with a verb for a type that it supports.

        Raises:
            InvalidInput: there is no such verb.
            Unsupported: the backend does not do this.
        """
        ability = self.ability(resource_type, verb)
        if ability.support is Support.UNSUPPORTED:
            reason = ability.reason or "it does not declare it"
            raise Unsupported(f"backend {self.name} cannot {verb} {resource_type}: {reason}")
        return ability

    def check_options(self, resource_type: str, verb: Verb, options: Mapping[str, Any]) -> None:
        """Let options pass that fit the backend's schema for this verb and type.

        Raises:
            InvalidInput: there is no such verb.
            Unsupported: the backend does not do this.
            InvalidDocument: with all faults of the options.
        """
        self.require_ability(resource_type, verb)
        self._validators[resource_type, verb].check(options)

    def scope(self) -> str:
        """Name the endpoint and project that the backend looks at.

        Raises:
            Transient: it cannot be told now.
            BackendError: it cannot be told.
            ContractViolation: the answer is no text.
        """
        answer = self._hooks.call("scope")
        if not isinstance(answer, str) or not answer:
            raise ContractViolation(
                f"{self._describe_call('scope')} answered no name: it must name a scope"
            )
        return answer

    def accepts_scope(self, scope: str) -> bool:
        """Whether a scope is the one that the backend looks at, or is configured as the same.

        Raises:
            KarborBackupError: as ``scope``.
        """
        return scope in self.same_as or scope == self.scope()

    def place(self) -> Place | None:
        """Name where work goes on that is begun here; None if any host can go on with it.

        Raises:
            Transient: it cannot be told now.
            InvalidInput: nothing can be begun here as the backend is configured.
            BackendError: nothing can be begun here.
            ContractViolation: the answer is no place.
        """
        if not self._hooks.implements("place"):
            return None
        return check_place(self._describe_call("place"), self._hooks.call("place"))

    def dependents(self, backup: Backup) -> tuple[str, ...]:
        """Name the backups that cannot be restored without this one, to be deleted in this order.

        Returns:
            The id of each backup, or the service's words for one that another program made. Empty
            where the backend knows of no such thing.

        Raises:
            Transient: it cannot be told now.
            BackendError: it cannot be told.
            ContractViolation: the answer is no list of texts.
        """
        if not self._hooks.implements("dependents"):
            return ()
        what = self._describe_call("dependents")
        named = check_dependents(what, self._hooks.call("dependents", backup=backup))
        return tuple(redact(each, self._hooks.secrets) for each in named)

    def shared_resources(self, operation: Operation) -> tuple[SharedResource, ...]:
        """Name what an operation uses together with others; empty where that is nothing.

        Raises:
            Transient: it cannot be told now.
            InvalidInput: the operation cannot be done as asked.
            BackendError: it cannot be told.
            ContractViolation: the answer is no list of shared resources.
        """
        if not self._hooks.implements("shared_resources"):
            return ()
        what = self._describe_call("shared_resources")
        answer = self._hooks.call("shared_resources", operation=operation)
        return check_shared_resources(what, answer)

    def health(self) -> Health:
        """Look whether operations can be expected to work now.

        Raises:
            Transient: it cannot be told now.
            BackendError: it cannot be told.
            ContractViolation: the answer is no health.
        """
        health = check_type(self._describe_call("check"), self._hooks.call("check"), Health)
        return sanitize_health(health, self._hooks.secrets)

    def call_verb(self, operation: Operation, own_paths: Sequence[str] = ()) -> Progress:
        """Call the hook of the operation's verb.

        Args:
            operation: as it is stored.
            own_paths: what the calling program works with on this host; a restore spares it.

        Raises:
            Unsupported: the backend does not do this; nothing has been started.
            Transient: the call may be repeated.
            BackendError: the call must not be repeated.
            ContractViolation: the answer is one that the contract forbids.
        """
        if not self._hooks.implements(operation.verb.value):
            raise Unsupported(f"backend {self.name} cannot {operation.verb}: it has no such hook")
        more = {"own_paths": tuple(own_paths)} if operation.verb is Verb.RESTORE else {}
        return self._call_for_progress(operation.verb.value, operation, VERB_STATES, **more)

    def release(self, operation: Operation) -> Progress:
        """Call the hook that removes what the service keeps of the operation.

        Raises:
            Transient: the call may be repeated.
            BackendError: the call must not be repeated.
            ContractViolation: the answer is one that the contract forbids.
        """
        return self._call_for_progress("release", operation, RELEASE_STATES)

    def cancel(self, operation: Operation) -> bool:
        """Ask the service to stop the work; answer whether it took the request.

        Raises:
            Transient: the call may be repeated.
            BackendError: the call must not be repeated.
            ContractViolation: the answer is neither true nor false.
        """
        answer = self._hooks.call("cancel", operation=operation)
        if not isinstance(answer, bool):
            raise ContractViolation(
                f"{self._describe_call('cancel', operation)} answered neither True nor False"
            )
        return answer

    def poll(self, operations: Sequence[Operation]) -> dict[str, Progress]:
        """Look how the work of all these operations stands; every id is answered.

        An operation of which the backend says nothing, or nothing that the contract allows, is
        ``failed`` with that reason.

        Raises:
            Transient: nothing could be asked.
            BackendError: nothing could be asked, and a repeat would not help.
            ContractViolation: the answer is none at all.
        """
        if not operations:
            return {}
        answers = self._hooks.call("poll", operations=tuple(operations))
        if not isinstance(answers, Mapping):
            raise ContractViolation(
                f"{self._describe_call('poll')} answered no mapping of ids to Progress"
            )
        strangers = answers.keys() - {operation.id for operation in operations}
        if strangers:
            _log.warning(
                "%s answered for what was not asked: %s", self._describe_call("poll"), strangers
            )
        return {
            operation.id: self._check_poll_answer(operation, answers.get(operation.id))
            for operation in operations
        }

    def notify_extensions(self, operation: Operation, before: Operation | None) -> None:
        """Tell every extension of a change that was written; what they raise is logged."""
        self._hooks.notify_changed(operation, before)

    def _call_for_progress(
        self, hook: str, operation: Operation, states: frozenset[ProgressState], **more: Any
    ) -> Progress:
        answer = self._hooks.call(hook, operation=operation, **more)
        progress = check_progress(self._describe_call(hook, operation), answer, operation, states)
        return sanitize_progress(progress, self._hooks.secrets)

    def _check_poll_answer(self, operation: Operation, answer: Any) -> Progress:
        what = self._describe_call("poll", operation)
        try:
            progress = check_progress(what, answer, operation, POLL_STATES)
        except ContractViolation as violation:
            reason = sanitize_text(str(violation), self._hooks.secrets)
            return Progress(ProgressState.FAILED, reason=reason)
        return sanitize_progress(progress, self._hooks.secrets)

    def _describe_call(self, hook: str, operation: Operation | None = None) -> str:
        about = "" if operation is None else f" of operation {operation.id}"
        return f"backend {self.name}: {hook}{about}"
