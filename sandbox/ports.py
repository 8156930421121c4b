"""Free ports on loopback."""

import random
import socket

HOST = "127.0.0.1"

# Below the range that Linux gives to outgoing connections (net.ipv4.ip_local_port_range), so that
# none of those takes the port between this choice and the server's own bind, or while a server is
# stopped. Two sandboxes may still meet: whoever starts a server makes sure that it listens itself.
_PORTS = range(20000, 32000)


def free_port() -> int:
    """Return a port on loopback that nobody listens on."""
    choose = random.SystemRandom()
    while True:
        port = choose.choice(_PORTS)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        return port
