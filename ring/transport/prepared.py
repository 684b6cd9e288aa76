"""A prepared statement on the wire: frames to send it, and the way to read its rows."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from cassandra import cqltypes

from ring.transport.errors import EncodeError, ProtocolViolationError
from ring.transport.values import (
    Decoder,
    Encoder,
    bigint_cell,
    decode_rows,
    decoder_of,
    encode_cells,
    encoder_of,
    join_cells,
)

VALUES_FLAG: Final = 0x01
SKIP_METADATA_FLAG: Final = 0x02
PAGE_SIZE_FLAG: Final = 0x04
PAGING_STATE_FLAG: Final = 0x08
SERIAL_CONSISTENCY_FLAG: Final = 0x10

ROWS_KIND: Final = 2
MORE_PAGES_FLAG: Final = 0x02
NO_METADATA_FLAG: Final = 0x04

_SHORT: Final = struct.Struct(">H")
_INT: Final = struct.Struct(">i")
_RESULT_HEAD: Final = struct.Struct(">iii")


@dataclass(frozen=True, slots=True)
class Prepared:
    """What PREPARE told about a statement; the same on every node of one Cassandra version.

    Attributes:
        statement_id: how EXECUTE names it.
        result_metadata_id: protocol v5 only.
        encoders, decoders: one for each marker and for each column.
        key_indexes: which markers are the partition key, in its order; empty when unknown.
        column_names: of the result; empty for statements without rows and for conditional ones,
            whose columns depend on the outcome.
        single_bigint: the only marker is a bigint, the shape of every read by id.
    """

    cql: str
    protocol_version: int
    statement_id: bytes
    result_metadata_id: bytes | None
    encoders: tuple[Encoder, ...]
    decoders: tuple[Decoder | None, ...]
    key_indexes: tuple[int, ...]
    column_names: tuple[str, ...]
    single_bigint: bool

    @classmethod
    def from_message(cls, cql: str, message: Any, protocol_version: int) -> "Prepared":
        """Read the driver's decoded RESULT/PREPARED message."""
        markers = message.bind_metadata or ()
        columns = message.column_metadata or ()
        return cls(
            cql=cql,
            protocol_version=protocol_version,
            statement_id=message.query_id,
            result_metadata_id=message.result_metadata_id,
            encoders=tuple(encoder_of(marker.type, protocol_version) for marker in markers),
            decoders=tuple(decoder_of(column[3], protocol_version) for column in columns),
            key_indexes=tuple(message.pk_indexes or ()),
            column_names=tuple(column[2] for column in columns),
            single_bigint=[marker.type for marker in markers] == [cqltypes.LongType],
        )

    def encode(self, values: Sequence[object]) -> tuple[bytes, bytes | None]:
        """Encode the values of one execution.

        Returns:
            The values part of the frame (with lengths), and the partition key as the partitioner
            hashes it, or None when the statement names no whole key.

        Raises:
            EncodeError: a value does not fit its column.
        """
        if self.single_bigint and len(values) == 1:
            value = values[0]
            if isinstance(value, int):
                cell = bigint_cell(value)
                return cell, cell[4:] if self.key_indexes else None
        cells = encode_cells(values, self.encoders)
        return join_cells(cells), self._partition_key(cells)

    def _partition_key(self, cells: list[bytes | None]) -> bytes | None:
        if not self.key_indexes:
            return None
        parts = [cells[index] for index in self.key_indexes]
        if None in parts:
            raise EncodeError("a partition key must not be null")
        if len(parts) == 1:
            return parts[0]
        # A composite key is hashed as length, bytes and a zero for each part.
        return b"".join(
            _SHORT.pack(len(part)) + part + b"\x00" for part in parts if part is not None
        )

    def body_parts(
        self,
        consistency: int,
        *,
        serial_consistency: int | None = None,
        page_rows: int | None = None,
        paging_state: bytes | None = None,
    ) -> tuple[bytes, bytes]:
        """What stands before and after the values part in the body of an EXECUTE frame."""
        flags = VALUES_FLAG if self.encoders else 0
        if self.decoders:
            flags |= SKIP_METADATA_FLAG
        tail = b""
        if page_rows is not None:
            flags |= PAGE_SIZE_FLAG
            tail += _INT.pack(page_rows)
        if paging_state is not None:
            flags |= PAGING_STATE_FLAG
            tail += _INT.pack(len(paging_state)) + paging_state
        if serial_consistency is not None:
            flags |= SERIAL_CONSISTENCY_FLAG
            tail += _SHORT.pack(serial_consistency)
        head = _SHORT.pack(len(self.statement_id)) + self.statement_id
        if self.result_metadata_id is not None:
            head += _SHORT.pack(len(self.result_metadata_id)) + self.result_metadata_id
        head += _SHORT.pack(consistency)
        head += _INT.pack(flags) if self.protocol_version >= 5 else bytes((flags,))
        if self.encoders:
            head += _SHORT.pack(len(self.encoders))
        return head, tail


class Page(NamedTuple):
    """Rows of one RESULT frame; `paging_state` is None on the last."""

    rows: list[tuple[Any, ...]]
    paging_state: bytes | None


# The answer to a write is its kind and nothing else.
_VOID_BYTES: Final = 4
_NO_ROWS: Final = Page([], None)


def read_page(prepared: Prepared, data: bytes, start: int, stop: int) -> Page | None:
    """Read a RESULT frame by the metadata of PREPARE.

    Returns:
        None when the frame is no rows, or brings metadata of its own: the general decoder's work.

    Raises:
        ProtocolViolationError: the frame is not what its length and counts say.
    """
    if stop - start == _VOID_BYTES:
        return _NO_ROWS
    try:
        kind, flags, column_count = _RESULT_HEAD.unpack_from(data, start)
        if (
            kind != ROWS_KIND
            or not flags & NO_METADATA_FLAG
            or column_count != len(prepared.decoders)
        ):
            return None
        position = start + _RESULT_HEAD.size
        paging_state = None
        if flags & MORE_PAGES_FLAG:
            (length,) = _INT.unpack_from(data, position)
            paging_state = data[position + 4 : position + 4 + length]
            position += 4 + length
        return Page(decode_rows(data, position, stop, prepared.decoders), paging_state)
    except Exception as error:  # the driver's types raise whatever bad bytes provoke
        raise ProtocolViolationError(f"a RESULT frame that cannot be read: {error!r}") from error
