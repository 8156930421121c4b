"""The SQL store does what the store in memory does, whatever is asked of them, in any order."""

import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from karbor_backup_core import (
    Backup,
    MemoryStore,
    Operation,
    Outcome,
    ResourceBusy,
    Result,
    Retry,
    SharedResource,
    State,
    Store,
    StoreError,
    UnknownOperation,
    Verb,
)
from karbor_backup_core.stores.common import write_one
from karbor_backup_core.stores.sql import SQLStore
from tests.core.stores.factories import make_backup
from tests.support.strategies import EARLY, instants, lease, operation

OWNERS = st.sampled_from(["", "me", "they"])
OPERATIONS = st.sampled_from(["op-1", "op-2", "op-3"])
BACKUPS = st.sampled_from(["b-1", "b-2"]).map(make_backup)
STORAGES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=3)
LEASE = timedelta(days=1)
SHARED = st.lists(
    st.builds(SharedResource, st.sampled_from(["disk", "tape"]), st.booleans()),
    max_size=2,
    unique_by=lambda shared: shared.name,
).map(tuple)


class BothStores(RuleBasedStateMachine):
    """Asks both stores for the same, and expects the same answers and refusals."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.memory = MemoryStore()
        self.sql = SQLStore(f"sqlite:///{Path(self.directory.name, 'store.db')}")

    def teardown(self) -> None:
        self.sql.close()
        self.directory.cleanup()

    def compare(self, ask: Callable[[Store], object]) -> None:
        assert self.result_of(self.memory, ask) == self.result_of(self.sql, ask)

    def result_of(self, store: Store, ask: Callable[[Store], object]) -> object:
        try:
            return ask(store)
        except (StoreError, UnknownOperation) as refusal:
            return type(refusal), str(refusal)

    def stored(self, operation_id: str) -> Operation:
        """Return the operation as stored, or one that was never added."""
        kept = {each.id: each for each in self.memory.operations()}
        return kept.get(operation_id, operation(id=operation_id, version=1))

    @rule(
        operation_id=OPERATIONS,
        verb=st.sampled_from(Verb),
        of=BACKUPS,
        owner=OWNERS,
        shared=SHARED,
        created_at=instants,
        until=instants,
    )
    def add(
        self,
        operation_id: str,
        verb: Verb,
        of: Backup,
        owner: str,
        shared: tuple[SharedResource, ...],
        created_at: object,
        until: datetime,
    ) -> None:
        new = operation(
            id=operation_id,
            verb=verb,
            backup=None if verb is Verb.PROTECT else of,
            shared_resources=shared,
            lease=lease(owner, until),
            created_at=created_at,
        )
        self.compare(lambda store: store.add(new))

    @rule(
        operation_id=OPERATIONS,
        stale=st.booleans(),
        state=st.sampled_from(State),
        phase=st.integers(0, 2),
        owner=OWNERS,
        requested=st.booleans(),
        sent=st.booleans(),
        pending=st.booleans(),
    )
    def write(
        self,
        operation_id: str,
        state: State,
        phase: int,
        owner: str,
        *,
        stale: bool,
        requested: bool,
        sent: bool,
        pending: bool,
    ) -> None:
        read = self.stored(operation_id)
        changed = attrs.evolve(
            read,
            version=read.version - stale,
            state=state,
            phase=phase,
            lease=lease(owner),
            cancel_requested=requested,
            cancel_sent=sent,
            retry=Retry(lock_pending=pending),
        )
        self.compare(lambda store: write_one(store, changed))

    @rule(operation_id=OPERATIONS)
    def begin(self, operation_id: str) -> None:
        """Write the first phase of an operation, or let it wait for what it shares."""
        read = self.stored(operation_id)
        begun = attrs.evolve(read, state=State.SUBMITTING, phase=1, retry=Retry())
        waits = attrs.evolve(read, retry=Retry(lock_pending=True))

        def begin_or_wait(store: Store) -> object:
            try:
                return write_one(store, begun)
            except ResourceBusy as busy:
                return str(busy), busy.pending, write_one(store, waits)

        self.compare(begin_or_wait)

    @rule(operation_id=OPERATIONS, result=st.sampled_from(Result), storage=STORAGES)
    def write_outcome(self, operation_id: str, result: Result, storage: str) -> None:
        read = self.stored(operation_id)
        left = make_backup(read.backup_id, storage=storage) if result is Result.SUCCEEDED else None
        ended = attrs.evolve(read, state=State.ENDED, outcome=Outcome(result, backup=left))
        self.compare(lambda store: write_one(store, ended))

    @rule(
        ids=st.lists(OPERATIONS, unique=True),
        ends=st.sets(OPERATIONS),
        stale=st.sets(OPERATIONS),
        state=st.sampled_from(State),
        phase=st.integers(0, 2),
    )
    def write_many(
        self, ids: list[str], ends: set[str], stale: set[str], state: State, phase: int
    ) -> None:
        changed = []
        for operation_id in ids:
            read = self.stored(operation_id)
            read = attrs.evolve(read, version=read.version - (operation_id in stale), phase=phase)
            if operation_id in ends:
                left = Outcome(Result.SUCCEEDED, backup=make_backup(read.backup_id, storage="all"))
                changed.append(attrs.evolve(read, state=State.ENDED, outcome=left))
            else:
                changed.append(attrs.evolve(read, state=state))

        def told(store: Store) -> object:
            stored = store.write(changed).items()
            return {key: x if isinstance(x, Operation) else (type(x), str(x)) for key, x in stored}

        self.compare(told)

    @rule(operation_id=OPERATIONS, stale_lease=st.booleans(), until=instants)
    def take_over(self, operation_id: str, until: datetime, *, stale_lease: bool) -> None:
        read = self.stored(operation_id)
        seen = attrs.evolve(read, lease=lease(read.owner)) if stale_lease else read
        taken = attrs.evolve(read, lease=lease("me", until))
        self.compare(lambda store: store.take_over(taken, seen))

    @rule(owner=OWNERS, lease=instants)
    def renew_lease(self, owner: str, lease: object) -> None:
        self.compare(lambda store: store.renew_lease(owner, lease))

    @rule(before=instants)
    def purge(self, before: datetime) -> None:
        self.compare(lambda store: store.purge(before))

    @rule(kept=BACKUPS, storage=STORAGES, created_at=instants)
    def put_backup(self, kept: Backup, storage: str, created_at: object) -> None:
        kept = attrs.evolve(kept, storage=storage, created_at=created_at)
        self.compare(lambda store: store.put_backup(kept))

    @invariant()
    def contents_are_equal(self) -> None:
        self.compare(lambda store: list(store.operations()))
        self.compare(lambda store: [each.id for each in store.operations(unreleased=True)])
        self.compare(lambda store: list(store.backups()))
        self.compare(lambda store: list(store.unowned(EARLY, LEASE)))
        for owner in ("", "me", "they"):
            self.compare(lambda store, owner=owner: list(store.cancel_requests(owner)))


TestBothStores = BothStores.TestCase
TestBothStores.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
