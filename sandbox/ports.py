"""Loopback: its free ports, and the way to it past a proxy."""

import random
import socket
from collections.abc import Mapping

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


def no_proxy_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that keep programs from seeking loopback behind a proxy."""
    exceptions = environ.get("no_proxy") or environ.get("NO_PROXY")
    if exceptions == "*":  # no proxy for anybody, which it means only where it stands alone
        return {"no_proxy": "*", "NO_PROXY": "*"}
    value = f"{exceptions},{HOST}" if exceptions else HOST
    return {"no_proxy": value, "NO_PROXY": value}


def uses_proxy(environ: Mapping[str, str]) -> bool:
    """Whether the environment sends HTTP requests through a proxy."""
    names = {name.lower() for name, value in environ.items() if value}
    return not names.isdisjoint({"http_proxy", "https_proxy", "all_proxy"})
