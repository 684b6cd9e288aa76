import os
import socket
import threading
from collections.abc import Iterator

import pytest

from ring.nodes.probes import can_bind, cql_answers, http_status, listens, port_holder

ADDRESS = "127.0.10.99"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """A listening socket that answers nothing by itself."""
    with socket.create_server((ADDRESS, 0)) as server:
        server.settimeout(10)
        yield server


def answer_once(server: socket.socket, answer: bytes) -> threading.Thread:
    """Answer the next connection's first bytes in a thread."""

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(100)
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_port_when_taken_then_cannot_be_bound_and_holder_is_told(listener: socket.socket) -> None:
    """A taken port is known before anything is started, with the process that has it."""
    port = listener.getsockname()[1]
    assert listens(ADDRESS, port)
    assert not can_bind(ADDRESS, port)
    assert f"process {os.getpid()} " in port_holder(port)
    listener.close()
    assert can_bind(ADDRESS, port)
    assert not listens(ADDRESS, port)


def test_address_that_this_machine_has_not_when_bound_then_refused() -> None:
    """An address of elsewhere cannot be listened on."""
    assert not can_bind("192.0.2.1", 9042)


def test_cql_when_something_else_answers_then_no(listener: socket.socket) -> None:
    """Only a SUPPORTED frame counts; silence and HTTP do not."""
    port = listener.getsockname()[1]
    assert not cql_answers(ADDRESS, port, timeout_seconds=0.2)
    listener.accept()[0].close()
    thread = answer_once(listener, b"HTTP/1.1 400 Bad Request\r\n\r\n")
    assert not cql_answers(ADDRESS, port)
    thread.join()
    thread = answer_once(listener, b"\x84\x00\x00\x00\x06\x00\x00\x00\x00")
    assert cql_answers(ADDRESS, port)
    thread.join()


def test_http_when_answered_then_status_and_when_not_then_none(listener: socket.socket) -> None:
    """The status is told whatever it is; garbage and silence are None."""
    port = listener.getsockname()[1]
    thread = answer_once(listener, b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
    assert http_status(ADDRESS, port, "/readyz") == 503
    thread.join()
    thread = answer_once(listener, b"garbage\r\n\r\n")
    assert http_status(ADDRESS, port, "/readyz") is None
    thread.join()
    assert http_status(ADDRESS, port, "/readyz", timeout_seconds=0.2) is None
