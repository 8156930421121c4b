"""The optional parts of a sandbox, each brought up when it is asked for by name."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs
import cattrs

from sandbox import ftp, mariadb, older_freezer, rest_server, s3, ssh, swift
from sandbox.errors import SandboxError
from sandbox.instance import Instance
from sandbox.openstack import bringup as cloud
from sandbox.openstack import rabbitmq


@attrs.frozen
class Part:
    """An optional part.

    Attributes:
        facts: the class of what is to be known of it.
        bring_up: starts it.
        needs: the parts that are up before it.
    """

    facts: type
    bring_up: Callable[[Instance], Any]
    needs: tuple[str, ...] = ()


PARTS: Mapping[str, Part] = {
    "ssh": Part(ssh.Ssh, ssh.bring_up),
    "swift": Part(swift.Swift, swift.bring_up),
    "s3": Part(s3.S3, s3.bring_up, needs=("swift",)),
    "s3-tls": Part(s3.S3Tls, s3.bring_up_tls, needs=("s3",)),
    "rest": Part(rest_server.RestServer, rest_server.bring_up),
    "ftp": Part(ftp.Ftp, ftp.bring_up),
    "cloud": Part(cloud.Cloud, cloud.bring_up),
    "mariadb": Part(mariadb.MariaDb, mariadb.bring_up_empty),
    "rabbitmq": Part(rabbitmq.RabbitMq, rabbitmq.bring_up),
    **{
        name: Part(older_freezer.OlderFreezer, bring_up)
        for name, bring_up in older_freezer.part_starters().items()
    },
}
"""The parts by name."""


def check_names(names: Iterable[str]) -> list[str]:
    """Return the names as they are.

    Raises:
        SandboxError: there is no such part.
    """
    names = list(names)
    for name in names:
        if name not in PARTS:
            raise SandboxError(f"There is no part {name!r}, only: {', '.join(PARTS)}")
    return names


def ensure_up(instance: Instance, name: str) -> Any:
    """Return what is to be known of a part, brought up first unless it is up.

    The caller holds the project's lock.

    Raises:
        SandboxError: there is no such part, or it did not come up.
    """
    check_names([name])
    part = PARTS[name]
    for needed in part.needs:
        ensure_up(instance, needed)
    if name not in instance.state.parts:
        instance.report(f"Starting the part {name!r}.")
        facts = cattrs.unstructure(part.bring_up(instance))
        state = instance.state
        instance.write_state(attrs.evolve(state, parts={**state.parts, name: facts}))
    return cattrs.structure(instance.state.parts[name], part.facts)
