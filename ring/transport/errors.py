"""What can go wrong on one connection."""

from collections.abc import Mapping
from typing import Final


class TransportError(Exception):
    """The root of everything that the transport raises."""


class ConnectError(TransportError):
    """No connection came about: refused, unreachable, TLS or handshake failed, or out of time."""


class AuthenticationError(ConnectError):
    """The node wants credentials, or refused the ones it was given."""


class ConnectionLostError(TransportError):
    """The connection ended while a reply was outstanding. The request may have been executed."""


class ProtocolViolationError(ConnectionLostError):
    """The node sent bytes that are no native-protocol frame; the connection was closed."""


class StreamsExhaustedError(TransportError):
    """Every stream id of the connection waits for a reply. Nothing was sent."""


class ReplyTimeoutError(TransportError):
    """No reply came in time. The request may have been executed."""


class EncodeError(TransportError):
    """A value does not fit the type of its column. Nothing was sent."""


class ServerError(TransportError):
    """Cassandra answered with an ERROR frame.

    Attributes:
        code: the error code of the native protocol (v4, section 9).
        name: the driver's class name for it, e.g. `UnavailableErrorMessage`.
        code_name: the code in words, e.g. `read_timeout`; `unknown` for one that v5 does not have.
        info: what the frame says beyond the message, e.g. the statement id that is unprepared.
    """

    def __init__(self, code: int, name: str, message: str, info: object) -> None:
        super().__init__(f"{name} (0x{code:04x}): {message}")
        self.code = code
        self.name = name
        self.code_name = _CODE_NAMES.get(code, "unknown")
        self.info: Mapping[str, object] | object = info


class ErrorCode:
    """The error codes that a client decides on (native protocol v4, section 9)."""

    SERVER_ERROR = 0x0000
    PROTOCOL_ERROR = 0x000A
    UNAVAILABLE = 0x1000
    OVERLOADED = 0x1001
    IS_BOOTSTRAPPING = 0x1002
    TRUNCATE_ERROR = 0x1003
    WRITE_TIMEOUT = 0x1100
    READ_TIMEOUT = 0x1200
    READ_FAILURE = 0x1300
    FUNCTION_FAILURE = 0x1400
    WRITE_FAILURE = 0x1500
    SYNTAX_ERROR = 0x2000
    UNAUTHORIZED = 0x2100
    INVALID = 0x2200
    CONFIG_ERROR = 0x2300
    ALREADY_EXISTS = 0x2400
    UNPREPARED = 0x2500


_CODE_NAMES: Final = {
    code: name.lower() for name, code in vars(ErrorCode).items() if name.isupper()
}
