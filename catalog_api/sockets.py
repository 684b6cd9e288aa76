"""The port: taken once, shared by all workers."""

import socket


class PortTakenError(Exception):
    """The address cannot be listened on; the message says why and what to do."""


def bind(host: str, port: int, *, shared: bool) -> socket.socket:
    """Return a bound socket that does not listen yet.

    Args:
        host: an address or a name of one.
        port: 0 for any that is free.
        shared: other sockets of this user may bind the same port.

    Raises:
        PortTakenError: another process holds the port, or the address is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind, protocol)
    except OSError as error:
        raise PortTakenError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise PortTakenError(
            f"cannot listen on {host}:{port}: {error.strerror};"
            " stop what holds it or choose another with --port (CATALOG_PORT)"
        ) from error
    return bound


def reserve(host: str, port: int) -> socket.socket:
    """Return a bound, shared socket that keeps the port for this process's children.

    The first bind does not share, so that a port that somebody else's workers share is refused as
    well. The second one holds the port without ever listening: no connection comes to it.

    Raises:
        PortTakenError: somebody listens there already.
    """
    with bind(host, port, shared=False) as probe:
        probe.listen(1)
        port = probe.getsockname()[1]
    return bind(host, port, shared=True)
