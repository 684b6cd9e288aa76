"""Asks whether something answers at an address: TCP, CQL, HTTP; and who holds a port."""

import http.client
import socket
from pathlib import Path

from ring.nodes.errors import NodesError, PortTakenError

OK = 200
# Protocol v4, stream 0, OPTIONS without a body; every Cassandra answers SUPPORTED before any login.
_CQL_OPTIONS = b"\x04\x00\x00\x00\x05\x00\x00\x00\x00"
_CQL_SUPPORTED = 0x06
_TCP_LISTEN = "0A"
_NGINX_STATUS = "/nginx_status"
_PAGE_BYTES = 65_536


def listens(address: str, port: int, *, timeout_seconds: float = 1.0) -> bool:
    """Whether something accepts TCP connections there."""
    try:
        with socket.create_connection((address, port), timeout=timeout_seconds):
            return True
    except OSError:
        return False


def cql_answers(address: str, port: int, *, timeout_seconds: float = 2.0) -> bool:
    """Whether a Cassandra speaks CQL there; a listener that says nothing does not count."""
    try:
        with socket.create_connection((address, port), timeout=timeout_seconds) as connection:
            connection.sendall(_CQL_OPTIONS)
            header = connection.recv(9)
    except OSError:
        return False
    return len(header) >= 5 and header[4] == _CQL_SUPPORTED


def http_status(address: str, port: int, path: str, *, timeout_seconds: float = 2.0) -> int | None:
    """Return the status that a GET is answered with; None when nothing answers in time."""
    try:
        return _get(address, port, path, timeout_seconds)[0]
    except (OSError, http.client.HTTPException):
        return None


def nginx_figures(status_port: int, *, timeout_seconds: float = 2.0) -> str:
    """Return what nginx's status page (`stub_status`) on this machine shows.

    Raises:
        NodesError: nothing answers in time, or something else does.
    """
    where = f"127.0.0.1:{status_port}{_NGINX_STATUS}"
    try:
        status, text = _get("127.0.0.1", status_port, _NGINX_STATUS, timeout_seconds)
    except (OSError, http.client.HTTPException) as error:
        raise NodesError(f"{where}: {error}", advice="See whether nginx runs.") from error
    if status != OK:
        raise NodesError(f"{where} answers {status}", advice="See what listens on that port.")
    return text


def _get(address: str, port: int, path: str, timeout_seconds: float) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address, port, timeout=timeout_seconds)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(_PAGE_BYTES).decode("latin-1")
    finally:
        connection.close()


def can_bind(address: str, port: int) -> bool:
    """Whether a server of ours could listen there now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def check_port(address: str, port: int, what: str) -> None:
    """Refuse to start what could not listen.

    Raises:
        PortTakenError: with the process that has the port.
    """
    if not can_bind(address, port):
        raise PortTakenError(
            f"{what} needs {address}:{port}, but {port_holder(port)} listens on that port",
            advice="Stop that process, or choose another port (see the settings in README.md).",
        )


def port_holder(port: int) -> str:
    """Describe the process that listens on a port, as far as this user may see it."""
    inodes = {
        fields[9]
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for fields in _socket_rows(table)
        if fields[3] == _TCP_LISTEN and int(fields[1].rpartition(":")[2], 16) == port
    }
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(descriptor.readlink()) not in wanted:
                continue
            name = Path("/proc", descriptor.parts[2], "comm").read_text(encoding="utf-8").strip()
        except OSError:
            continue
        return f"process {descriptor.parts[2]} ({name})"
    return "a process of another user" if wanted else "another process"


def _socket_rows(table: str) -> list[list[str]]:
    try:
        lines = Path(table).read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return []
    return [line.split() for line in lines]
