"""Leases of owners: each store does what a model of them says, in any order of calls."""

from datetime import datetime, timedelta

import attrs
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from karbor_backup_core import Amount, Conflict, Lease, Operation, Store
from karbor_backup_core.stores.common import write_one
from tests.core.stores.factories import released_operation
from tests.support.strategies import EARLY, lease, operation

IDS = ("op-1", "op-2", "op-3")
OWNERS = ("one", "two", "three")
LEASE = timedelta(minutes=10)
FAR = EARLY + timedelta(days=1000)
MINUTES = st.integers(-30, 60).map(lambda minutes: EARLY + timedelta(minutes=minutes))


@attrs.define
class Owned:
    """What the model knows of an operation.

    Attributes:
        owner: its owner; empty for none.
        written: the end of the lease that was written with it.
        version: its version.
    """

    owner: str
    written: datetime | None
    version: int = 1


def end_of_lease(of: Operation) -> datetime | None:
    return None if of.lease is None else of.lease.until


class LeaseModel(RuleBasedStateMachine):
    """Asks a store and a model for the same."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.owned: dict[str, Owned] = {}
        self.leases: dict[str, datetime] = {}

    def teardown(self) -> None:
        """Empty the store for the next run."""
        for kept in self.store.operations(unreleased=True):
            write_one(self.store, released_operation(kept))
        self.store.purge(FAR)
        for owner in OWNERS:
            self.store.delete_lease(owner)

    def lease_of(self, owned: Owned) -> datetime | None:
        return self.leases.get(owned.owner, owned.written)

    @initialize()
    def store_is_empty(self) -> None:
        assert self.store.operations() == []

    @rule(id_=st.sampled_from(IDS), owner=st.sampled_from(("", *OWNERS)), until=MINUTES)
    def add(self, id_: str, owner: str, until: datetime) -> None:
        held = lease(owner, until)
        if id_ in self.owned:
            with pytest.raises(Conflict):
                self.store.add(operation(id=id_, lease=held))
        else:
            self.store.add(operation(id=id_, lease=held))
            self.owned[id_] = Owned(owner, until if owner else None)

    @rule(owner=st.sampled_from(OWNERS), until=MINUTES)
    def renew_lease(self, owner: str, until: datetime) -> None:
        self.store.renew_lease(owner, until)
        if owner not in self.leases:
            owners = {each.owner for each in self.owned.values()}
            self.leases = {name: end for name, end in self.leases.items() if name in owners}
        self.leases[owner] = until

    @rule(owner=st.sampled_from(OWNERS))
    def delete_lease(self, owner: str) -> None:
        self.store.delete_lease(owner)
        self.leases.pop(owner, None)

    @precondition(lambda self: self.owned)
    @rule(data=st.data(), taker=st.sampled_from(OWNERS), until=MINUTES, renewed=MINUTES)
    def take_over_while_the_owner_renews(
        self, data: st.DataObject, taker: str, until: datetime, renewed: datetime
    ) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.owned)))
        seen = self.store.operation(id_)
        if seen.owner and data.draw(st.booleans()):
            self.renew_lease(seen.owner, renewed)
        self.take_over(seen, taker, until)

    @precondition(lambda self: self.owned)
    @rule(data=st.data(), taker=st.sampled_from(OWNERS), until=MINUTES)
    def take_over_what_another_one_takes_first(
        self, data: st.DataObject, taker: str, until: datetime
    ) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.owned)))
        seen = self.store.operation(id_)
        self.take_over(seen, data.draw(st.sampled_from(OWNERS)), until)
        self.take_over(seen, taker, until)

    def take_over(self, seen: Operation, taker: str, until: datetime) -> None:
        owned = self.owned[seen.id]
        known = end_of_lease(seen)
        taken = attrs.evolve(seen, lease=Lease(taker, until))
        if seen.version == owned.version and self.leases.get(owned.owner, known) == known:
            assert self.store.take_over(taken, seen).version == owned.version + 1
            self.owned[seen.id] = Owned(taker, until, owned.version + 1)
        else:
            with pytest.raises(Conflict):
                self.store.take_over(taken, seen)

    @precondition(lambda self: self.owned)
    @rule(data=st.data(), released=st.booleans(), stale=st.booleans())
    def write_as_the_owner(self, data: st.DataObject, *, released: bool, stale: bool) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.owned)))
        seen, owned = self.store.operation(id_), self.owned[id_]
        written = attrs.evolve(seen, version=seen.version - stale, amount=Amount(1.0))
        if released:
            written = attrs.evolve(written, lease=None)
        stored = self.store.write([written])[id_]
        if stale:
            assert isinstance(stored, Conflict)
        else:
            assert stored == attrs.evolve(written, version=seen.version + 1)
            self.owned[id_] = Owned(written.owner, end_of_lease(written), owned.version + 1)

    @invariant()
    def leases_are_those_of_the_owners(self) -> None:
        stored = {
            each.id: (each.owner, end_of_lease(each), each.version)
            for each in self.store.operations()
        }
        assert stored == {
            id_: (owned.owner, self.lease_of(owned), owned.version)
            for id_, owned in self.owned.items()
        }

    @invariant()
    def operations_without_a_living_owner_are_unowned(self) -> None:
        free = []
        for id_, owned in sorted(self.owned.items()):
            until = self.lease_of(owned)
            if not owned.owner or until is None or not EARLY < until <= EARLY + 2 * LEASE:
                free.append(id_)
        assert [each.id for each in self.store.unowned(EARLY, LEASE)] == free


def test_leases_are_kept_as_the_model_says(store: Store) -> None:
    run_state_machine_as_test(
        lambda: LeaseModel(store),
        settings=settings(max_examples=25, stateful_step_count=20, deadline=None),
    )
