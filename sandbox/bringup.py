"""The order in which the servers that every sandbox has come up."""

from sandbox import freezer, keystone, scheduler, watchdog
from sandbox.accounts import CLOUDS, Account, make_accounts, write_clouds_yaml
from sandbox.configuration import write_configuration
from sandbox.databases import DatabaseKind, DatabaseTemplates
from sandbox.environments import Environment
from sandbox.instance import Instance, another_port
from sandbox.ports import free_port
from sandbox.processes import ProcessId
from sandbox.scheduler import CLIENT_ID, Capabilities
from sandbox.state import State


@another_port
def bring_up(
    instance: Instance,
    environment: Environment,
    databases: DatabaseTemplates,
    *,
    freezer_database: DatabaseKind,
    watched: ProcessId,
    owner: ProcessId | None,
) -> None:
    """Start Keystone, the Freezer API and a scheduler; nothing is left running if one fails.

    Args:
        instance: the one to bring up; the caller holds the project's lock.
        environment: what the servers are installed in.
        databases: what they start with.
        freezer_database: what the Freezer API keeps its jobs in.
        watched: whose end, while this goes on, ends it all.
        owner: whose end takes the instance down later on; None if it is to stay.

    Raises:
        ServiceError: a server did not come up; the logs are kept.
    """
    layout = instance.layout
    instance.take_down()
    try:
        layout.make()
        instance.launch(watchdog.service(instance.project, layout, watched))
        state = _start_apis(instance, environment, databases, freezer_database, owner)
        clouds = [state.accounts[cloud] for cloud in CLOUDS]
        write_clouds_yaml(layout.clouds_yaml, clouds, state.auth_url)
        write_configuration(layout)
        start_scheduler(instance, state, CLIENT_ID, account=state.accounts[CLOUDS[0]])
        instance.write_state(state)
    except BaseException:
        instance.take_down(keep_logs=True)
        raise


def start_scheduler(
    instance: Instance,
    state: State,
    client_id: str,
    *,
    account: Account,
    capabilities: Capabilities | None = None,
) -> None:
    """Start a scheduler and wait until it has polled once.

    Args:
        instance: where it runs.
        state: the instance's.
        client_id: what the API is to know it by.
        account: whose jobs it runs.
        capabilities: what it declares that it can do; everything unless given.

    Raises:
        ServiceError: it did not come up; it is not left running.
    """
    instance.report(f"Starting the scheduler {client_id!r}.")
    scheduler.configure(
        instance.layout,
        client_id,
        auth_url=state.auth_url,
        account=account,
        capabilities=capabilities or Capabilities(),
    )
    instance.start_all([scheduler.service(instance.layout, state.environment.bin, client_id)])


def _start_apis(
    instance: Instance,
    environment: Environment,
    databases: DatabaseTemplates,
    freezer_database: DatabaseKind,
    owner: ProcessId | None,
) -> State:
    database = freezer.bring_up_database(instance, environment, databases, freezer_database)
    instance.report("Starting Keystone and the Freezer API.")
    layout = instance.layout
    keystone_port, freezer_port = free_port(), free_port()
    state = State(
        owner=owner,
        environment=environment,
        auth_url=keystone.auth_url(keystone_port),
        freezer_url=freezer.url(freezer_port),
        accounts=make_accounts(),
        freezer_database=freezer_database,
    )
    keystone.configure(layout, databases)
    freezer.configure(layout, database, state)
    identity_api = instance.launch(keystone.service(layout, environment.python, keystone_port))
    backup_api = instance.launch(
        freezer.service(layout, environment.python, freezer_port, freezer_database)
    )
    instance.wait(identity_api)
    keystone.populate(databases, state)
    instance.wait(backup_api)
    return state
