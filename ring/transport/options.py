"""How to reach a node and how to greet it."""

import ssl
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a node listens for CQL clients."""

    address: str
    port: int = 9042

    def __str__(self) -> str:
        return f"{self.address}:{self.port}"


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """What every connection of a client has in common.

    Attributes:
        protocol_version: 4 or 5. Version 4 is the default: its frames carry no checksums of their
            own, which TCP and TLS have anyway, and cost less on both sides.
        keyspace: USEd after the handshake, so that statements name tables alone.
        username, password: for PasswordAuthenticator.
        tls: the context for TLS; `tls_server_name` is the name that the certificate must bear (the
            endpoint's address when None).
        compression: None or "lz4".
        max_requests: stream ids used at once; a native protocol connection has 32,768.
    """

    protocol_version: int = 4
    keyspace: str | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    tls_server_name: str | None = None
    compression: str | None = None
    max_requests: int = 2048
    application_name: str = "ring"
