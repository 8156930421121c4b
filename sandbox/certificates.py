"""Certificates that nobody but their own key has signed, for servers on loopback."""

import datetime as dt
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sandbox.ports import HOST

_VALID = dt.timedelta(days=30)


def make_certificate() -> str:
    """Return a key and the certificate that it has signed for itself, in one PEM file."""
    return "".join(sign_certificate(HOST))


def sign_certificate(common_name: str, *, authority: bool = False) -> tuple[str, str]:
    """Return a key and the certificate that it has signed for itself, in PEM.

    A client that is told to trust the certificate accepts it for loopback's address.

    Args:
        common_name: the name of who has the certificate.
        authority: whether it says of itself that it may sign others; a server that asks for the
            certificates of its clients trusts no other.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])
    address = x509.IPAddress(ipaddress.ip_address(HOST))
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
    )
    if authority:
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        builder = builder.add_extension(constraints, critical=True)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    certificate = builder.sign(key, SHA256()).public_bytes(Encoding.PEM)
    return private.decode(), certificate.decode()
