"""The hooks that Karbor calls, in the order in which it calls them."""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from karbor.common import constants
from karbor.services.protection import protection_plugin
from karbor.services.protection.protection_plugins import utils

from karbor_backup_core import Resource, Unsupported, Verb
from karbor_glue._bank_section import ResourceSection
from karbor_glue._credentials import Credentials
from karbor_glue._exceptions import translate_to_karbor_errors
from karbor_glue._karbor_records import append_to_operation_log
from karbor_glue._outcomes import record_id
from karbor_glue._resource_graph import ancestors, descendant_types
from karbor_glue._resource_task import FlowRegistry, ResourceTask, TaskResult
from karbor_glue._settings import Settings

_flows: Final = FlowRegistry()

SettingsReader = Callable[[], Settings]
CredentialsChooser = Callable[[Any], Credentials]


class ResourceOperation(protection_plugin.Operation):  # type: ignore[misc]  # Karbor is untyped
    """What is done with one resource; one object serves all hooks of one resource.

    Args:
        verb: what to do.
        read: reads the provider's settings; called in a hook, where it may fail.
        choose: chooses the credentials for Karbor's request context.
    """

    verb: Verb

    def __init__(self, read: SettingsReader, choose: CredentialsChooser) -> None:
        super().__init__()
        self._read_settings = read
        self._choose_credentials = choose
        self._task: ResourceTask | None = None

    def on_prepare_begin(
        self, checkpoint: Any, resource: Any, context: Any, parameters: Any, **kwargs: Any
    ) -> None:
        """Refuse what cannot be done, before anything is begun; parents come before children."""
        with translate_to_karbor_errors(
            self.verb, resource, self._failure_reporter(checkpoint, resource, kwargs)
        ):
            self._task = self._create_task(checkpoint, resource, context, parameters, kwargs)
            self._task.check()
            _flows.register(checkpoint, self._task)

    def on_main(
        self, checkpoint: Any, resource: Any, context: Any, parameters: Any, **kwargs: Any
    ) -> None:
        """Do it, and wait for its end."""
        with translate_to_karbor_errors(
            self.verb, resource, self._failure_reporter(checkpoint, resource, kwargs)
        ):
            if self._task is None:
                self._task = self._create_task(checkpoint, resource, context, parameters, kwargs)
            self.on_started(checkpoint, resource)
            self.on_succeeded(checkpoint, resource, self._task.run_once(), kwargs)

    def on_started(self, checkpoint: Any, resource: Any) -> None:
        """Write the status of a resource that is being worked on."""

    def on_succeeded(
        self, checkpoint: Any, resource: Any, result: TaskResult, arguments: Any
    ) -> None:
        """Write the status of a resource that was worked on with success."""

    def on_failed(self, checkpoint: Any, resource: Any, reason: str, arguments: Any) -> None:
        """Write the status of a resource that was worked on without success."""

    def _failure_reporter(
        self, checkpoint: Any, resource: Any, arguments: Any
    ) -> Callable[[str], None]:
        def tell(reason: str) -> None:
            append_to_operation_log(arguments.get("operation_log"), resource, reason)
            self.on_failed(checkpoint, resource, reason, arguments)

        return tell

    def _create_task(
        self,
        checkpoint: Any,
        resource: Any,
        context: Any,
        parameters: Mapping[str, Any],
        arguments: Mapping[str, Any],
    ) -> ResourceTask:
        graph = checkpoint.resource_graph or ()
        found = (_flows.find(checkpoint, each) for each in ancestors(graph, resource.id))
        return ResourceTask(
            verb=self.verb,
            resource=to_backend_resource(resource),
            section=ResourceSection.from_checkpoint(checkpoint, resource.id),
            parameters=parameters,
            read_settings=self._read_settings,
            credentials=self._choose_credentials(context),
            parents=tuple(each for each in found if each is not None),
            descendant_types=descendant_types(graph, resource.id),
            notes=_record_notes(arguments),
        )


class ProtectOperation(ResourceOperation):
    """Backs a resource up."""

    verb = Verb.PROTECT

    def on_started(self, checkpoint: Any, resource: Any) -> None:
        """Write the status ``protecting``."""
        _set_status(checkpoint, resource, constants.RESOURCE_STATUS_PROTECTING)

    def on_succeeded(
        self, checkpoint: Any, resource: Any, result: TaskResult, arguments: Any
    ) -> None:
        """Write the status ``available``."""
        _set_status(checkpoint, resource, constants.RESOURCE_STATUS_AVAILABLE)

    def on_failed(self, checkpoint: Any, resource: Any, reason: str, arguments: Any) -> None:
        """Write the status ``error``."""
        _set_status(checkpoint, resource, constants.RESOURCE_STATUS_ERROR)


class DeleteOperation(ResourceOperation):
    """Removes the backup of a resource."""

    verb = Verb.DELETE

    def on_started(self, checkpoint: Any, resource: Any) -> None:
        """Write the status ``deleting``."""
        _set_status(checkpoint, resource, constants.RESOURCE_STATUS_DELETING)

    def on_succeeded(
        self, checkpoint: Any, resource: Any, result: TaskResult, arguments: Any
    ) -> None:
        """Write the status ``deleted``."""
        _set_status(checkpoint, resource, constants.RESOURCE_STATUS_DELETED)

    def on_failed(self, checkpoint: Any, resource: Any, reason: str, arguments: Any) -> None:
        """Write the status ``error``."""
        _set_status(checkpoint, resource, constants.RESOURCE_STATUS_ERROR)


class RestoreOperation(ResourceOperation):
    """Brings a resource back."""

    verb = Verb.RESTORE

    def on_succeeded(
        self, checkpoint: Any, resource: Any, result: TaskResult, arguments: Any
    ) -> None:
        """Tell the user, and the plugins of what it belongs to, which resource it is now."""
        known = to_backend_resource(resource).id
        new = result.restored.get(known)
        if new:
            arguments["new_resources"][resource.id] = new
        status = constants.RESOURCE_STATUS_AVAILABLE
        now = record_id(resource, known, result.restored)
        utils.update_resource_restore_result(
            arguments["restore"], resource.type, now, status, result.unverified
        )

    def on_failed(self, checkpoint: Any, resource: Any, reason: str, arguments: Any) -> None:
        """Tell the user why it did not come back."""
        status = constants.RESOURCE_STATUS_ERROR
        record = arguments["restore"]
        utils.update_resource_restore_result(record, resource.type, resource.id, status, reason)


class VerifyOperation(ResourceOperation):
    """Checks that a resource could be brought back."""

    verb = Verb.VERIFY

    def on_succeeded(
        self, checkpoint: Any, resource: Any, result: TaskResult, arguments: Any
    ) -> None:
        """Tell the user that the backup is there."""
        status = constants.RESOURCE_STATUS_AVAILABLE
        record = arguments["verify"]
        utils.update_resource_verify_result(
            record, resource.type, resource.id, status, result.unverified
        )

    def on_failed(self, checkpoint: Any, resource: Any, reason: str, arguments: Any) -> None:
        """Tell the user what is wrong with it."""
        status = constants.RESOURCE_STATUS_ERROR
        record = arguments["verify"]
        utils.update_resource_verify_result(record, resource.type, resource.id, status, reason)


class CopyOperation(protection_plugin.Operation):  # type: ignore[misc]  # Karbor is untyped
    """Refuses: a provider has one backend, and a copy needs a second one.

    Karbor writes the checkpoint of a copy into the bank of the first checkpoint's provider, and has
    that provider restore, verify and delete it. What ``plan_copy`` makes belongs to another
    backend, which the provider's file does not name.

    The refusal comes from a hook, since what ``get_copy_operation`` raised would leave the
    checkpoint ``copying`` for ever.
    """

    def on_prepare_begin(self, checkpoint: Any, resource: Any, *_: Any, **__: Any) -> None:
        """Refuse.

        Raises:
            Unsupported: always.
        """
        raise Unsupported(
            f"{resource.type} {resource.id} of checkpoint {checkpoint.id} cannot be copied: Karbor "
            "would restore the copy by the same provider, which has no second backend; protect it "
            "again with a provider of the other place"
        )


def to_backend_resource(resource: Any) -> Resource:
    """Return a resource as the backend knows it.

    A directory is known by its path, which cannot be an id in Karbor's bank: a protectable plugin
    gives it in ``extra_info``, which Karbor's API turns into text.
    """
    extra = resource.extra_info or {}
    if isinstance(extra, str):
        extra = json.loads(extra)
    path = extra.get("path") if isinstance(extra, Mapping) else None
    known = path if isinstance(path, str) and path.startswith("/") else resource.id
    return Resource(resource.type, known, resource.name or "")


def _record_notes(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Note the record of a restore or verify in Karbor's database."""
    for kind in ("restore", "verify"):
        record_id = getattr(arguments.get(kind), "id", None)
        if record_id is not None:
            return {kind: str(record_id)}
    return {}


def _set_status(checkpoint: Any, resource: Any, status: str) -> None:
    ResourceSection.from_checkpoint(checkpoint, resource.id).write_status(status)
