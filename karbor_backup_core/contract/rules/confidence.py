"""Rules about secrets: they are shown to the service, and to nobody else."""

import contextlib
import json
import logging
import traceback
from collections.abc import Iterator

import attrs

from karbor_backup_core.contract.bench import Fault
from karbor_backup_core.contract.expectations import require
from karbor_backup_core.contract.lives import life
from karbor_backup_core.contract.needs import SECRETS
from karbor_backup_core.contract.registry import rule
from karbor_backup_core.contract.trial import Trial
from karbor_backup_core.documents import to_document
from karbor_backup_core.model import Operation, Verb


@rule(
    "C-901",
    "No secret is in a receipt, a handle, an outcome, or what a backend says of itself.",
    "All of that is stored, shown and sent to other machines.",
    SECRETS,
    mandatory=False,
)
def answers_hold_no_secret(trial: Trial) -> None:
    """Search every stored version of every operation, and every description."""
    seen: list[object] = [trial.process.ask("describe"), trial.process.ask("check")]

    def look(operation: Operation) -> Operation:
        seen.append(operation)
        return operation

    life(trial, trial.kind(Verb.PROTECT, Verb.RESTORE, Verb.DELETE), look)
    seen += trial.store.operations()
    texts = [json.dumps(to_document(each), ensure_ascii=False) for each in seen]
    _search(trial, "an answer", [*texts, str(trial.process.ask("scope"))])


@rule(
    "C-902",
    "No secret is in an exception, nor behind it, nor in a log at any level.",
    "Logs are sent to other people's machines, and read by more people than configurations.",
    SECRETS,
    mandatory=False,
)
def errors_and_logs_hold_no_secret(trial: Trial) -> None:
    """Read the log of a whole life, and provoke errors."""
    kind = trial.kind(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    with _log() as lines:
        life(trial, kind)
        resource = trial.make(kind)
        backup = attrs.evolve(trial.backup(resource), handle={"contract": ["strange"]})
        errors = list(_provoked(trial, trial.submitting(Verb.RESTORE, backup)))
        for each in (Fault.BUSY, Fault.REFUSE):
            if each in trial.bench.faults:
                operation = trial.submitting(Verb.PROTECT, resource)
                trial.arm(each)
                errors += _provoked(trial, operation)
    _search(trial, "a log", lines)
    _search(trial, "an exception", errors)


def _provoked(trial: Trial, operation: Operation) -> Iterator[str]:
    """Call a verb; answer what it raises, with all that is behind it."""
    try:
        trial.process.ask(operation.verb.value, operation=operation)
    except Exception as error:  # noqa: BLE001 - whatever a backend raises
        yield "".join(traceback.format_exception(error))
        yield repr(error)


def _search(trial: Trial, where: str, texts: list[str]) -> None:
    for secret in trial.bench.secrets:
        found = any(secret in text for text in texts)
        require(not found, f"a secret is in {where}")


@contextlib.contextmanager
def _log() -> Iterator[list[str]]:
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
