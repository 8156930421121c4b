"""TLS in front of a server that has none, with certificates made for one test."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import attrs

from sandbox.certificates import sign_certificate
from sandbox.ports import HOST


@attrs.frozen
class Certificate:
    """A certificate that is signed with its own key, and that key.

    Attributes:
        certfile: the certificate, in PEM.
        keyfile: the key, in PEM.
    """

    certfile: Path
    keyfile: Path

    @classmethod
    def create(cls, folder: Path, name: str) -> "Certificate":
        """Make one for the loopback address."""
        key, signed = sign_certificate(name, authority=True)
        certificate = cls(folder / f"{name}.crt", folder / f"{name}.key")
        certificate.certfile.write_text(signed)
        certificate.keyfile.write_text(key)
        return certificate


@contextlib.contextmanager
def serve_tls(port: int, server: Certificate, client: Certificate) -> Iterator[str]:
    """Return over TLS for what listens on a port of loopback, to those with the client's key.

    Yields:
        The URL of the front, without a path.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server.certfile, server.keyfile)
    context.load_verify_locations(client.certfile)
    context.verify_mode = ssl.CERT_REQUIRED
    with socket.create_server((HOST, 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening, context, port), daemon=True)
        thread.start()
        try:
            yield f"https://{HOST}:{listening.getsockname()[1]}"
        finally:
            # Wakes the thread, which a close alone would leave in its wait.
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listening: socket.socket, context: ssl.SSLContext, port: int) -> None:
    while True:
        try:
            accepted, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_connect, args=(accepted, context, port), daemon=True).start()


def _connect(accepted: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with (
        contextlib.suppress(OSError),
        accepted,
        context.wrap_socket(accepted, server_side=True) as encrypted,
        socket.create_connection((HOST, port)) as plain,
    ):
        back = threading.Thread(target=_copy_bytes, args=(plain, encrypted), daemon=True)
        back.start()
        _copy_bytes(encrypted, plain)
        back.join()


def _copy_bytes(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while received := source.recv(65536):
            target.sendall(received)
        target.shutdown(socket.SHUT_WR)
