"""The reply to every request that changes something in the cloud is lost once.

The contract loses the reply to one request that begins work. A restore of a server makes and
changes a dozen things in the cloud itself: each has to be found again, and none to be made twice.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from karbor_backup_contract import Harness
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._scenarios import check_restored_content, require_unchanged
from karbor_backup_core import Verb
from karbor_backup_openstack.resource_types import SERVER
from tests.e2e.contract.scripted_harness import (
    RuleEnvironment,
    ScriptedEnvironment,
    SharedTokenSessions,
    scripted_harness,
)
from tests.support import http_faults

MANY = 40
"""More requests of one method than a restore makes."""


@pytest.fixture
def harness(
    request: pytest.FixtureRequest,
    environment: ScriptedEnvironment,
    sessions: SharedTokenSessions,
    tmp_path: Path,
) -> Iterator[Harness]:
    place = RuleEnvironment(
        environment, tmp_path, storage="disk", servers_boot_from_volumes=request.param
    )
    with scripted_harness(place, sessions) as harness:
        yield harness


@pytest.mark.parametrize(
    ("harness", "method"),
    [(False, "POST"), (False, "DELETE"), (True, "POST"), (True, "PUT")],
    ids=["image-POST", "image-DELETE", "volumes-POST", "volumes-PUT"],
    indirect=["harness"],
)
def test_lost_reply_creates_no_second_server(
    harness: Harness, environment: ScriptedEnvironment, method: str
) -> None:
    context = RuleContext(harness)
    server = context.create_resource(SERVER)
    backup = context.protect(server)
    before = context.inventory()
    for number in itertools.count(1):
        plan = environment.proxy.plan(http_faults.lost_reply(), at=number, method=method)
        operation = context.run_successfully(Verb.RESTORE, backup)
        check_restored_content(context, operation, context.contents[server.id])
        require_unchanged(
            context, before, f"a restore that lost the reply to {method} number {number}"
        )
        environment.proxy.clear()
        if not plan.fired:
            break
        assert number < MANY
    assert number > 1
