"""Rules about each request of a hook: the first is not the only one that meets a fault."""

import functools
from collections.abc import Collection
from typing import Final

from karbor_backup_contract._assertions import require
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._disturbed_lives import DisturbedLife, run_until_unmet, sample_points
from karbor_backup_contract._registry import rule
from karbor_backup_contract._request_faults import RequestSpoiler
from karbor_backup_contract.harness import Fault
from karbor_backup_contract.requirements import INVENTORY, requires_request_fault
from karbor_backup_core import Call, Verb

_MAX_REQUESTS: Final = 40
"""Requests of one hook that are spoilt in turn; a hook that makes more is tried no further."""

_COMPOUND_REQUESTS: Final = (1,)
"""Those that are spoilt of a verb on a type with members, which may take phases of its own."""

# A call that is repeated takes time, in which the work may end and the next call be spared: so the
# calls are spoilt in lives of their own where one would keep the other from its fault.
_SUCCESSFUL_LIVES: Final = (frozenset({Call.VERB, Call.RELEASE}), frozenset({Call.POLL}))
_CANCELLED_LIVES: Final = (
    frozenset({Call.VERB}),
    frozenset({Call.CANCEL, Call.POLL, Call.RELEASE}),
)
_REFUSED_LIVES: Final = (frozenset({Call.VERB}), frozenset({Call.POLL}))


@rule(
    "C-410",
    "Whichever of a hook's requests loses its reply, nothing is done twice, and nothing is missed.",
    "A hook that makes three requests can lose the second one's reply as well.",
    INVENTORY,
    requires_request_fault(Fault.LOSE_REPLY),
    mandatory=False,
)
def any_reply_may_be_lost(context: RuleContext) -> None:
    """Lose the reply of the first request of each call, then of the second, and so on."""
    _spoil_each_request(context, Fault.LOSE_REPLY, _SUCCESSFUL_LIVES)
    _spoil_each_request(context, Fault.LOSE_REPLY, _CANCELLED_LIVES, cancelled=True)


@rule(
    "C-610",
    "Whichever of a hook's requests is refused for now, the operation comes to the end that it "
    "would have come to.",
    "What was done before the refused request is found again, and is not left behind.",
    INVENTORY,
    requires_request_fault(Fault.BUSY),
    mandatory=False,
)
def any_request_may_be_busy(context: RuleContext) -> None:
    """Refuse the first request of each call for now, then the second, and so on.

    Of a type with members the first request of each call of a verb is enough.
    """
    _spoil_each_request(context, Fault.BUSY, _SUCCESSFUL_LIVES)
    _spoil_each_request(context, Fault.BUSY, _CANCELLED_LIVES, cancelled=True)
    for kind in context.compound_types_supporting(Verb.PROTECT, Verb.RESTORE)[:1]:
        spoil = functools.partial(RequestSpoiler, context, Fault.BUSY, frozenset({Call.VERB}))
        life = DisturbedLife(context, context.create_resource(kind), spoil)
        run_until_unmet(life, _COMPOUND_REQUESTS)


@rule(
    "C-611",
    "Whichever request of a verb or a poll is refused for good, the operation fails and leaves "
    "nothing, or succeeds wholly.",
    "A hook that has begun work when it is refused has to be cleaned up behind.",
    INVENTORY,
    requires_request_fault(Fault.REFUSE),
    mandatory=False,
)
def any_request_may_be_refused(context: RuleContext) -> None:
    """Refuse the first request of each verb and poll for good, then the second, and so on."""
    _spoil_each_request(context, Fault.REFUSE, _REFUSED_LIVES)


def _spoil_each_request(
    context: RuleContext,
    fault: Fault,
    lives: Collection[frozenset[Call]],
    *,
    cancelled: bool = False,
) -> None:
    """Live lives with the first requests spoilt, with the second, until no call makes so many."""
    resource = context.create_resource(context.type_supporting(Verb.PROTECT, Verb.RESTORE))
    may_fail = cancelled or fault is Fault.REFUSE
    numbers = sample_points(_MAX_REQUESTS, exhaustive=context.harness.exhaustive)
    for calls in lives:
        spoil = functools.partial(RequestSpoiler, context, fault, calls)
        life = DisturbedLife(context, resource, spoil, cancelled, may_fail)
        peaks = [each.peak for each in run_until_unmet(life, numbers)]
        # The last life met no fault.
        twice = f"work was begun twice when the calls met {fault.name}"
        require(may_fail or max(peaks) <= peaks[-1], twice)
