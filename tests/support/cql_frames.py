"""Frames as a Cassandra node sends them (native protocol v4), to test what a client makes of them.

Written from the protocol's specification and not with the client's own code, which is under test.
"""

import hashlib
import struct
import uuid
from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Final

ERROR, READY, SUPPORTED, RESULT = 0x00, 0x02, 0x06, 0x08
STARTUP, OPTIONS, QUERY, PREPARE, EXECUTE, REGISTER = 0x01, 0x05, 0x07, 0x09, 0x0A, 0x0B
BATCH = 0x0D

BIGINT, BLOB, INT, TEXT, UUID, INET = (
    struct.pack(">H", number) for number in (0x02, 0x03, 0x09, 0x0D, 0x0C, 0x10)
)
SET_OF_TEXT = struct.pack(">H", 0x22) + TEXT
LIST_OF_BIGINT = struct.pack(">H", 0x20) + BIGINT
MAP_OF_TEXT = struct.pack(">H", 0x21) + TEXT + TEXT

# What an ERROR frame says beyond code and message (section 9 of the specification).
_CONSISTENCY: Final = struct.pack(">H", 0x0A)
_ERROR_EXTRAS: Final = {
    0x1000: _CONSISTENCY + struct.pack(">ii", 1, 0),
    0x1100: _CONSISTENCY + struct.pack(">ii", 0, 1) + struct.pack(">H", 6) + b"SIMPLE",
    0x1200: _CONSISTENCY + struct.pack(">iiB", 0, 1, 0),
    0x1300: _CONSISTENCY + struct.pack(">iiiB", 0, 1, 1, 0),
    0x1400: struct.pack(">H", 1) + b"k" + struct.pack(">H", 1) + b"f" + struct.pack(">H", 0),
    0x1500: _CONSISTENCY + struct.pack(">iii", 0, 1, 1) + struct.pack(">H", 6) + b"SIMPLE",
    0x2400: struct.pack(">H", 1) + b"k" + struct.pack(">H", 1) + b"t",
}
ERROR_CODES: Final = (
    *(0x0000, 0x000A, 0x1000, 0x1001, 0x1002, 0x1003, 0x1100, 0x1200, 0x1300, 0x1400, 0x1500),
    *(0x2000, 0x2100, 0x2200, 0x2300, 0x2400, 0x7777),
)


def frame(
    stream: int, opcode: int, body: bytes = b"", *, flags: int = 0, version: int = 4
) -> bytes:
    """One response frame."""
    return struct.pack(">BBhBi", version | 0x80, flags, stream, opcode, len(body)) + body


def error(code: int, message: str = "as the test wants it", extra: bytes | None = None) -> bytes:
    """The body of an ERROR frame."""
    text = message.encode()
    more = _ERROR_EXTRAS.get(code, b"") if extra is None else extra
    return struct.pack(">iH", code, len(text)) + text + more


def unprepared(statement_id: bytes) -> bytes:
    """The body of an ERROR frame for a statement that the node does not know."""
    return error(0x2500, extra=struct.pack(">H", len(statement_id)) + statement_id)


def supported() -> bytes:
    """The body of a SUPPORTED frame."""
    lists = {"CQL_VERSION": "3.4.7", "COMPRESSION": "lz4"}
    return struct.pack(">H", len(lists)) + b"".join(
        _string(name) + struct.pack(">H", 1) + _string(value) for name, value in lists.items()
    )


def void() -> bytes:
    """The body of a RESULT frame for a write."""
    return struct.pack(">i", 1)


def cell(value: bytes | None) -> bytes:
    """A cell behind its length; null has the length -1."""
    return struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value


def rows(
    cells: Sequence[Sequence[bytes | None]], columns: int, paging: bytes | None = None
) -> bytes:
    """The body of a RESULT frame of rows without metadata, as EXECUTE asks for."""
    flags = 0x04 | (0x02 if paging is not None else 0)
    head = struct.pack(">iii", 2, flags, columns) + (cell(paging) if paging is not None else b"")
    return head + struct.pack(">i", len(cells)) + b"".join(cell(c) for row in cells for c in row)


def described_rows(columns: Mapping[str, bytes], cells: Sequence[Sequence[bytes | None]]) -> bytes:
    """The body of a RESULT frame of rows with metadata, as QUERY asks for."""
    head = struct.pack(">iii", 2, 0x01, len(columns)) + _string("ks") + _string("tbl")
    head += b"".join(_string(name) + kind for name, kind in columns.items())
    return head + struct.pack(">i", len(cells)) + b"".join(cell(c) for row in cells for c in row)


def prepared(
    statement_id: bytes,
    markers: Mapping[str, bytes],
    key_indexes: Sequence[int],
    columns: Mapping[str, bytes],
) -> bytes:
    """The body of a RESULT frame for PREPARE."""
    spec = _string("ks") + _string("tbl")
    body = struct.pack(">iH", 4, len(statement_id)) + statement_id
    body += struct.pack(">iii", 0x01, len(markers), len(key_indexes))
    body += b"".join(struct.pack(">H", index) for index in key_indexes)
    body += spec + b"".join(_string(name) + kind for name, kind in markers.items())
    if columns:
        body += struct.pack(">ii", 0x01, len(columns)) + spec
        return body + b"".join(_string(name) + kind for name, kind in columns.items())
    return body + struct.pack(">ii", 0x04, 0)


def _string(text: str) -> bytes:
    return struct.pack(">H", len(text)) + text.encode()


def text_set(texts: Sequence[str]) -> bytes:
    """A cell of set<text>."""
    return struct.pack(">i", len(texts)) + b"".join(cell(text.encode()) for text in texts)


def text_map(items: Mapping[str, str]) -> bytes:
    """A cell of map<text, text>."""
    flat = b"".join(cell(key.encode()) + cell(value.encode()) for key, value in items.items())
    return struct.pack(">i", len(items)) + flat


def inet(address: str) -> bytes:
    """A cell of inet."""
    return ip_address(address).packed


def host_id(address: str, port: int) -> bytes:
    """A cell of uuid that is always the same for a node."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{address}:{port}").bytes


def statement_id(cql: str) -> bytes:
    """What a node would call the statement."""
    return hashlib.md5(cql.encode(), usedforsecurity=False).digest()
