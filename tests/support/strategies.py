"""Hypothesis strategies for the nouns of the model."""

from datetime import UTC, datetime
from typing import Any

import attrs
from hypothesis import strategies as st

from karbor_backup_core import (
    Ability,
    Amount,
    BackendInfo,
    Backup,
    Check,
    Health,
    Lease,
    Leftover,
    Member,
    Operation,
    Outcome,
    Part,
    Progress,
    ProgressState,
    Resource,
    Result,
    Retry,
    SharedResource,
    State,
    Support,
    Verb,
)

names = st.text(max_size=12)
writable_names = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)
operation_ids = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_", min_size=1, max_size=36)
instants = st.datetimes(datetime(1970, 1, 2), datetime(8999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
numbers = st.floats(allow_nan=False, allow_infinity=False)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)
json_objects = st.dictionaries(names, json_values, max_size=4)

resources = st.builds(
    Resource,
    type=st.sampled_from(["OS::Nova::Server", "OS::Cinder::Volume", "OS::Keystone::Project"]),
    id=writable_names,
    name=writable_names,
)
parts = st.builds(
    Part,
    resource=resources,
    result=st.sampled_from(Result),
    reason=names,
    restored=st.none() | resources,
)
checks = st.builds(Check, name=names, verified=st.booleans(), reason=names)
leftovers = st.builds(Leftover, kind=names, id=names, note=names)
members = st.builds(Member, resource=resources, handle=json_objects)


def tuples(items: st.SearchStrategy) -> st.SearchStrategy:
    """Return a strategy for short tuples of these."""
    return st.lists(items, max_size=2).map(tuple)


def _backup(members: tuple[Backup, ...] = ()) -> st.SearchStrategy:
    return st.builds(
        Backup,
        id=operation_ids,
        resource=resources,
        backend=writable_names,
        scope=writable_names,
        handle=json_objects,
        storage=writable_names,
        created_at=instants,
        options=json_objects,
        members=st.just(members),
        checks=tuples(checks),
    )


def _with_members(whole: Backup, members: tuple[Backup, ...]) -> Backup:
    own = tuple(attrs.evolve(each, id=f"{whole.id}/{each.resource.id}") for each in members)
    return attrs.evolve(whole, members=own)


backups = st.builds(_with_members, _backup(), tuples(_backup()))

progresses = st.builds(
    Progress,
    state=st.sampled_from(ProgressState),
    receipt=st.none() | json_objects,
    done=st.none() | numbers,
    total=st.none() | numbers,
    unit=names,
    reason=names,
    parts=tuples(parts),
    resources=tuples(resources),
    handle=st.none() | json_objects,
    storage=names,
    members=tuples(members),
    checks=tuples(checks),
    leftovers=tuples(leftovers),
)

outcomes = st.builds(
    Outcome,
    result=st.sampled_from(Result),
    reason=names,
    resources=tuples(resources),
    parts=tuples(parts),
    checks=tuples(checks),
    leftovers=tuples(leftovers),
    covered=names,
    backup=st.none() | backups,
)

operations = st.builds(
    Operation,
    id=operation_ids,
    verb=st.sampled_from(Verb),
    backend=writable_names,
    implementation=writable_names,
    scope=writable_names,
    resource=resources,
    options=json_objects,
    backup=st.none() | backups,
    shared_resources=st.lists(
        st.builds(SharedResource, name=writable_names, exclusive=st.booleans()),
        max_size=2,
        unique_by=lambda shared: shared.name,
    ).map(tuple),
    state=st.sampled_from(State),
    phase=st.integers(0, 9),
    attempt=st.integers(0, 9),
    receipt=st.none() | json_objects,
    awaiting=st.booleans(),
    amount=st.builds(Amount, done=st.none() | numbers, total=st.none() | numbers, unit=names),
    outcome=st.none() | outcomes,
    cancel_requested=st.booleans(),
    cancel_sent=st.booleans(),
    suspended=st.booleans(),
    created_at=instants,
    submitted_at=st.none() | instants,
    ended_at=st.none() | instants,
    deadline=instants,
    grace_until=st.none() | instants,
    retry=st.builds(
        Retry,
        last_error=names,
        failures=st.integers(0, 9),
        not_before=st.none() | instants,
        unknown_since=st.none() | instants,
        lock_pending=st.booleans(),
    ),
    version=st.integers(0, 9),
    lease=st.none() | st.builds(Lease, owner=writable_names, until=instants),
)

abilities = st.builds(
    Ability,
    support=st.sampled_from(Support),
    schema=json_objects,
    covered_by=names,
    reason=names,
)
backend_infos = st.builds(
    BackendInfo,
    name=names,
    version=names,
    contract=names,
    abilities=st.dictionaries(
        names, st.dictionaries(st.sampled_from(Verb), abilities, max_size=2), max_size=2
    ),
)
healths = st.builds(Health, ok=st.booleans(), summary=names, details=json_objects)


def instances() -> st.SearchStrategy:
    """Return a strategy for an instance of any class that can be a document."""
    return st.one_of(
        operations, backups, progresses, outcomes, backend_infos, healths, resources, members
    )


EARLY = datetime(2026, 1, 1, tzinfo=UTC)


def lease(owner: str, until: datetime = EARLY) -> Lease | None:
    """Return the lease of an owner; None for none."""
    return Lease(owner, until) if owner else None


def operation(**changes: Any) -> Operation:
    """Return a plain operation with these attributes changed."""
    resource = Resource("OS::Cinder::Volume", "volume-1")
    defaults: dict[str, Any] = {
        "id": "op-1",
        "verb": Verb.PROTECT,
        "backend": "here",
        "implementation": "there",
        "scope": "somewhere",
        "resource": resource,
        "created_at": EARLY,
        "deadline": EARLY,
    }
    return Operation(**{**defaults, **changes})
