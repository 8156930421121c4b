"""Rules about work that is bound to a host."""

from karbor_backup_contract._assertions import require, require_success
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import check_restore
from karbor_backup_contract._violation import RuleViolation
from karbor_backup_contract.requirements import OTHER_PLACE
from karbor_backup_core import Verb, WrongPlace


@rule(
    "C-421",
    "`place` answers every object on the same host the same, and an operation is bound to that "
    "before its first call.",
    "Whoever goes on with an operation must know where its work is, however early a process died.",
    since="1.1",
)
def place_is_stable(context: RuleContext) -> None:
    """Ask two objects, and look at an operation that is about to begin."""
    resource = context.create_resource(context.type_supporting(Verb.PROTECT))
    one, other = context.process.backend.place(), context.start_process().backend.place()
    require(one == other, f"one object says {one}, another one {other}")
    operation = context.record_submission(Verb.PROTECT, resource)
    require(operation.place == one, f"bound to {operation.place}, and `place` says {one}")


@rule(
    "C-422",
    "Work that is bound to a host is gone on with there alone; on another host that is refused, "
    "with the host's name.",
    "Work that cannot be seen would be taken for lost, or begun a second time.",
    OTHER_PLACE,
    mandatory=False,
    since="1.1",
)
def other_host_is_refused(context: RuleContext) -> None:
    """Begin a protect, try to go on with it on another host, then go on with it here."""
    assert context.harness.create_backend_in_other_place is not None  # noqa: S101 - the rule needs it
    resource = context.create_resource(context.type_supporting(Verb.PROTECT, Verb.RESTORE))
    started = context.start(Verb.PROTECT, resource)
    there = context.start_process(context.harness.create_backend_in_other_place())
    try:
        there.driver.acquire(started)
    except WrongPlace as refused:
        host = "" if started.place is None else started.place.host
        require(host in str(refused), f"the refusal does not name {host}: {refused}")
    else:
        raise RuleViolation(f"bound to {started.place}, and gone on with on another host")
    require_success(context.finish(context.restart(started)))
    check_restore(context, context.store.backup(started.id))
