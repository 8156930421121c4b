"""Rules about secrets: they are shown to the service, and to nobody else."""

import contextlib
import json
import logging
import traceback
from collections.abc import Iterator

import attrs

from karbor_backup_contract._assertions import require
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import run_lifecycle
from karbor_backup_contract.harness import Fault
from karbor_backup_contract.requirements import SECRETS
from karbor_backup_core import Operation, Progress, ProgressState, Verb
from karbor_backup_core.documents import to_document


@rule(
    "C-901",
    "No secret is in a receipt, a handle, an outcome, or what a backend says of itself.",
    "All of that is stored, shown and sent to other machines.",
    SECRETS,
    mandatory=False,
)
def results_hold_no_secret(context: RuleContext) -> None:
    """Search every stored version of every operation, and every description."""
    seen: list[object] = [context.process.call_hook("describe"), context.process.call_hook("check")]

    def look(operation: Operation) -> Operation:
        seen.append(operation)
        return operation

    run_lifecycle(context, context.type_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE), look)
    seen += context.store.operations()
    texts = [json.dumps(to_document(each), ensure_ascii=False) for each in seen]
    _require_no_secret(context, "an answer", [*texts, str(context.process.call_hook("scope"))])


@rule(
    "C-902",
    "No secret is in an exception, nor behind it, nor in a log at any level.",
    "Logs are sent to other people's machines, and read by more people than configurations.",
    SECRETS,
    mandatory=False,
)
def errors_and_logs_hold_no_secret(context: RuleContext) -> None:
    """Read the log of a whole life, and provoke errors."""
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    with _capture_logs() as lines:
        run_lifecycle(context, kind)
        resource = context.create_resource(kind)
        backup = attrs.evolve(context.protect(resource), handle={"contract": ["strange"]})
        errors = list(_provoke_errors(context, context.record_submission(Verb.RESTORE, backup)))
        for each in (Fault.BUSY, Fault.REFUSE):
            if each in context.harness.faults:
                operation = context.record_submission(Verb.PROTECT, resource)
                context.inject_fault(each)
                errors += _provoke_errors(context, operation)
    _require_no_secret(context, "a log", lines)
    _require_no_secret(context, "an exception", errors)


def _provoke_errors(context: RuleContext, operation: Operation) -> Iterator[str]:
    """Call a verb, in later phases too as long as they are ready, and yield what it raises.

    The first phases may make no request that could be refused.
    """
    try:
        while _is_ready(context.process.call_hook(operation.verb.value, operation=operation)):
            operation = context.advance_phase(operation)
    except Exception as error:  # noqa: BLE001 - whatever a backend raises
        yield "".join(traceback.format_exception(error))
        yield repr(error)


def _is_ready(answer: object) -> bool:
    return isinstance(answer, Progress) and answer.state is ProgressState.READY


def _require_no_secret(context: RuleContext, where: str, texts: list[str]) -> None:
    for secret in context.harness.secrets:
        found = any(secret in text for text in texts)
        require(not found, f"a secret is in {where}")


@contextlib.contextmanager
def _capture_logs() -> Iterator[list[str]]:
    """Collect what is logged at any level."""
    lines: list[str] = []

    class Collector(logging.Handler):
        """Writes records down."""

        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{self.format(record)} {record.__dict__}")

    root, handler = logging.getLogger(), Collector()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield lines
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
