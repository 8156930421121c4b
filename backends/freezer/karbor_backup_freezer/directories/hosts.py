"""Which hosts are this one: only there can the guard see mounts and files."""

import ipaddress
import socket
from typing import Final

_LOOPBACK: Final = frozenset({"localhost", "localhost.localdomain", "ip6-localhost"})


def is_local_host(hostname: str) -> bool:
    """Return whether a scheduler's host is this one, by the name that it registered with."""
    return hostname != "" and hostname == socket.gethostname()


def is_local_address(host: str) -> bool:
    """Return whether a server's name or address is one of this host's.

    A name that cannot be resolved is another host's.
    """
    name = host.strip("[]").rstrip(".").lower()
    if name in _LOOPBACK or name in {socket.gethostname().lower(), socket.getfqdn().lower()}:
        return True
    try:
        found = {str(info[4][0]) for info in socket.getaddrinfo(name, None)}
    except OSError:
        return False
    return any(_is_bindable(address) for address in found)


def _is_bindable(address: str) -> bool:
    """Return whether an address is this host's: the kernel lets a socket be bound to it."""
    bare = ipaddress.ip_address(address.partition("%")[0])
    if bare.is_loopback or bare.is_unspecified:
        return True
    six = isinstance(bare, ipaddress.IPv6Address)
    family = socket.AF_INET6 if six else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
