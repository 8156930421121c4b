"""Spoils one request of each call that a driven operation makes of its backend."""

import attrs

from karbor_backup_contract._assertions import require
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract.harness import Fault, WithdrawFault
from karbor_backup_core import Call, Operation, next_call


@attrs.define
class RequestSpoiler:
    """Makes a fault meet the n-th request of each call of an operation, once for each call.

    Attributes:
        context: the rule's.
        fault: what happens to the request.
        calls: the calls of which a request is spoilt.
        number: which request of a call it is, counted from 1.
        met: whether any call has made so many requests.
        peak: how much bookkeeping there was at most before an operation was released.
    """

    context: RuleContext
    fault: Fault
    calls: frozenset[Call]
    number: int
    met: bool = False
    peak: int = 0
    _last_met: Call | None = None
    _last_call: Call | None = None
    _withdraw: WithdrawFault | None = None
    _counted: set[str] = attrs.field(factory=set)
    _spoilt: set[tuple[object, ...]] = attrs.field(factory=set)

    @property
    def description(self) -> str:
        """What happens to the calls."""
        return f"met {self.fault.name} at request {self.number}"

    def before_call(self, operation: Operation) -> Operation:
        """Take an unmet fault back, and plan one for a call of which no request was spoilt yet.

        Raises:
            RuleViolation: a verb that was refused for good is to be repeated.
        """
        self.after_last_call()
        if self._last_met is Call.VERB:
            operation = self._look_at_verb(operation)
        call = next_call(operation, self.context.clock())
        self._last_call = call
        if call is Call.RELEASE and operation.id not in self._counted:
            self._counted.add(operation.id)
            self.peak = max(self.peak, len(self.context.inventory().bookkeeping))
        # A call that is repeated makes other requests: it looks for work that was begun.
        key = (operation.id, operation.phase, operation.state, call, operation.attempt > 1)
        if call in self.calls and key not in self._spoilt:
            self._spoilt.add(key)
            self._withdraw = self.context.harness.request_faults[self.fault](self.number)
        return operation

    def after_last_call(self) -> None:
        """Take a fault back that the latest call has not met, and note whether it has."""
        self._last_met = None
        if self._withdraw is not None and self._withdraw():
            self.met, self._last_met = True, self._last_call
        self._withdraw = None

    def _look_at_verb(self, operation: Operation) -> Operation:
        """Look at an operation whose verb met the fault."""
        if self.fault is Fault.REFUSE:
            again = f"a {operation.verb} that was refused for good is to be repeated"
            repeated = operation.outcome is None and operation.retry.failures
            require(not repeated, f"{again}: {operation.retry.last_error}")
        # After a lost reply another process goes on, which does not know what was begun.
        return self.context.restart(operation) if self.fault is Fault.LOSE_REPLY else operation
