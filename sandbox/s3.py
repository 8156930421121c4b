"""The part `s3`: Swift's S3 interface, with keys from Keystone, for Freezer's kind of that name."""

import attrs
import cattrs

from sandbox import keystone
from sandbox.accounts import CLOUDS
from sandbox.instance import Instance
from sandbox.swift import Swift


@attrs.frozen
class S3:
    """What a client needs.

    Attributes:
        endpoint: the URL.
        access_key: of the user `demo`.
        secret_key: that belongs to it.
    """

    endpoint: str
    access_key: str
    secret_key: str = attrs.field(repr=False)


def bring_up(instance: Instance) -> S3:
    """Make keys for the user `demo`; the part `swift` is up already."""
    state = instance.state
    swift = cattrs.structure(state.parts["swift"], Swift)
    access_key, secret_key = keystone.make_ec2_keys(state.auth_url, state.accounts[CLOUDS[0]])
    return S3(swift.url, access_key, secret_key)
