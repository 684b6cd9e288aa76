"""A CQL connection on the application's own event loop; of use without the rest of the project."""

from ring.transport.connection import CqlConnection, ReplyHandler
from ring.transport.errors import (
    AuthenticationError,
    ConnectError,
    ConnectionLostError,
    EncodeError,
    ErrorCode,
    ProtocolViolationError,
    ReplyTimeoutError,
    ServerError,
    StreamsExhaustedError,
    TransportError,
)
from ring.transport.options import ConnectionOptions, Endpoint
from ring.transport.prepared import Page, Prepared, read_page
from ring.transport.session import (
    connect,
    execute,
    page_of_message,
    pages,
    prepare,
    probe,
    query,
    register,
)

__all__ = [
    "AuthenticationError",
    "ConnectError",
    "ConnectionLostError",
    "ConnectionOptions",
    "CqlConnection",
    "EncodeError",
    "Endpoint",
    "ErrorCode",
    "Page",
    "Prepared",
    "ProtocolViolationError",
    "ReplyHandler",
    "ReplyTimeoutError",
    "ServerError",
    "StreamsExhaustedError",
    "TransportError",
    "connect",
    "execute",
    "page_of_message",
    "pages",
    "prepare",
    "probe",
    "query",
    "read_page",
    "register",
]
