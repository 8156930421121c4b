"""Rules about secrets: they are shown to the service, and to nobody else."""

import base64
import contextlib
import json
import logging
import traceback
from collections.abc import Iterator

import attrs

from karbor_backup_contract._assertions import require
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._process_output import captured_output, watched_programs
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import run_lifecycle
from karbor_backup_contract.harness import Fault
from karbor_backup_contract.requirements import SECRETS
from karbor_backup_core import Operation, Progress, ProgressState, Secret, Verb
from karbor_backup_core.documents import to_document


@rule(
    "C-901",
    "No secret, plain or encoded, is in a receipt, a handle, an outcome, or what a backend says of "
    "itself.",
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
    "No secret, plain or encoded, is in an exception, nor behind it, nor in a log at any level, "
    "nor in what is printed.",
    "Logs are sent to other people's machines, and read by more people than configurations.",
    SECRETS,
    mandatory=False,
)
def errors_and_logs_hold_no_secret(context: RuleContext) -> None:
    """Read the log of a whole life, and provoke errors."""
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    with _capture_logs() as lines, captured_output() as printed:
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
    _require_no_secret(context, "what is printed", printed)
    _require_no_secret(context, "an exception", errors)


@rule(
    "C-903",
    "No secret, plain or encoded, is in the arguments or the environment of a program that a "
    "backend starts.",
    "Every user of a machine reads the arguments of its processes, and core dumps hold the rest.",
    SECRETS,
    mandatory=False,
    since="1.1",
)
def child_processes_get_no_secret(context: RuleContext) -> None:
    """Look at each program that is started in the life of a backup, and for its check."""
    with watched_programs() as started:
        context.process.call_hook("check")
        run_lifecycle(context, context.type_supporting(Verb.PROTECT, Verb.RESTORE))
    _require_no_secret(context, "a program's arguments or environment", started)


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
        encodings = _encodings(secret)
        found = any(each in text for each in encodings for text in texts)
        require(not found, f"a secret is in {where}, plain or encoded")


def _encodings(secret: str) -> set[str]:
    """Return a secret as it is, as texts are quoted, in hex, and in base64 behind any prefix."""
    raw = secret.encode()
    found = {*Secret(secret).encodings(), raw.hex(), raw.hex().upper()}
    for ahead, first in enumerate((0, 2, 3)):
        whole = (ahead + len(raw)) * 8 // 6
        text = base64.b64encode(bytes(ahead) + raw).decode()[first:whole]
        found |= {text, text.replace("+", "-").replace("/", "_")}
    return found


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
