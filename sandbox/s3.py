"""The parts `s3` and `s3-tls`: Swift's S3 interface, with keys from Keystone.

Freezer's storage kind of that name uses the first. restic needs TLS: without it, it signs what it
sends piece by piece, which Swift cannot check where Keystone has the keys.
"""

from pathlib import Path

import attrs
import cattrs

from sandbox import keystone, swift
from sandbox.accounts import CLOUDS, write_secret
from sandbox.certificates import make_certificate
from sandbox.instance import Instance


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
    facts = cattrs.structure(state.parts["swift"], swift.Swift)
    access_key, secret_key = keystone.make_ec2_keys(state.auth_url, state.accounts[CLOUDS[0]])
    return S3(facts.url, access_key, secret_key)


@attrs.frozen
class S3Tls:
    """What a client needs.

    Attributes:
        endpoint: the URL.
        certificate: the file with the certificate that the client is to trust.
    """

    endpoint: str
    certificate: Path


def bring_up_tls(instance: Instance) -> S3Tls:
    """Start one more of Swift's proxies, which speaks TLS; the part `s3` is up already.

    Raises:
        ServiceError: it did not come up.
    """
    certificate = instance.layout.configuration / "s3-tls.pem"
    write_secret(certificate, make_certificate())
    return S3Tls(swift.start_tls_proxy(instance, certificate), certificate)
