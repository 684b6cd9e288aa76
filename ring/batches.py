"""Rows of one statement on their way to the replicas together: UNLOGGED BATCH frames.

A request costs a node more than a small row does. Rows whose first replica is the same node may
share one: that node coordinates what it also stores, as it does for a row that comes alone. Such a
batch promises nothing about its rows together. Each is written or not, so all must be such that
writing them again changes nothing.
"""

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ring.bound import Bound
from ring.call import LiveRoute
from ring.errors import RingRequestError
from ring.transport import EncodeError

# Cassandra warns in its log and in the answer where a batch is larger (batch_size_warn_threshold)
# or touches more partitions (unlogged_batch_across_partitions_warn_threshold): its coordinator then
# holds and repeats much at once. Rows of one partition are one mutation, whatever their number.
MAX_BATCH_BYTES: Final = 5 * 1024
MAX_BATCH_ROWS: Final = 10
# What Cassandra adds to a cell when it measures a batch: two times and a timestamp.
_CELL_BYTES: Final = 16

_UNLOGGED: Final = b"\x01"
_PREPARED: Final = b"\x01"
_NO_FLAGS: Final = 0
_SHORT: Final = struct.Struct(">H")
_INT: Final = struct.Struct(">i")


@dataclass(frozen=True, slots=True)
class RowBatch:
    """Rows that go in one request; made by `RingClient.gather`.

    Attributes:
        name: of the statement that writes each of them.
        rows: their values as they were given.
        cells: their values as they stand in a frame.
        key: the partition key of the first; None when the statement names none.
    """

    name: str
    rows: tuple[Sequence[object], ...]
    cells: tuple[bytes, ...]
    key: bytes | None

    def parts(self) -> "Iterator[RowBatch]":
        """Yield the same rows, each alone. The first replica is the same for all."""
        for row, cells in zip(self.rows, self.cells, strict=True):
            yield RowBatch(self.name, (row,), (cells,), self.key)


class _Gathered:
    """Rows for one node that are not enough for a request yet."""

    __slots__ = ("bytes", "cells", "key", "rows")

    def __init__(self, key: bytes | None) -> None:
        self.key = key
        self.rows: list[Sequence[object]] = []
        self.cells: list[bytes] = []
        self.bytes = 0

    def batch(self, name: str) -> RowBatch:
        return RowBatch(name, tuple(self.rows), tuple(self.cells), self.key)


def gather(
    bound: Bound,
    rows: Iterable[Sequence[object]],
    route: Callable[[bytes | None], LiveRoute],
    max_rows: int,
) -> Iterator[RowBatch]:
    """Yield all rows in batches by their first replica, in their order for each of these.

    Args:
        bound: the statement.
        rows: the values of each.
        route: partition key → nodes.
        max_rows: of a batch. One larger than `MAX_BATCH_BYTES` has a single row.

    Raises:
        RingRequestError: a row's values do not fit the statement; the rows before it may have been
            yielded.
    """
    name = bound.statement.name
    encode = bound.prepared.encode
    overhead_bytes = _CELL_BYTES * len(bound.prepared.encoders)
    waiting: dict[object, _Gathered] = {}
    for row in rows:
        try:
            cells, key = encode(row)
        except EncodeError as error:
            raise RingRequestError(f"{name} of {_shown_key(bound, row)}: {error}") from error
        replicas = route(key).replicas
        node = replicas[0] if replicas else None
        gathered = waiting.get(node)
        row_bytes = len(cells) + overhead_bytes
        if gathered is not None and gathered.bytes + row_bytes > MAX_BATCH_BYTES:
            yield gathered.batch(name)
            gathered = None
        if gathered is None:
            gathered = waiting[node] = _Gathered(key)
        gathered.rows.append(row)
        gathered.cells.append(cells)
        gathered.bytes += row_bytes
        if len(gathered.rows) >= max_rows:
            yield gathered.batch(name)
            del waiting[node]
    for gathered in waiting.values():
        yield gathered.batch(name)


def _shown_key(bound: Bound, row: Sequence[object]) -> str:
    return repr([row[index] for index in bound.prepared.key_indexes if index < len(row)])


def batch_body(bound: Bound, cells: Sequence[bytes]) -> bytes:
    """The body of a BATCH frame (native protocol v4 and v5, section 4.1.7) of these rows."""
    prepared = bound.prepared
    statement_id = prepared.statement_id
    head = b"".join(
        (
            _PREPARED,
            _SHORT.pack(len(statement_id)),
            statement_id,
            _SHORT.pack(len(prepared.encoders)),
        )
    )
    flags = _INT.pack(_NO_FLAGS) if prepared.protocol_version >= 5 else bytes((_NO_FLAGS,))
    return b"".join(
        (
            _UNLOGGED,
            _SHORT.pack(len(cells)),
            head,
            head.join(cells),
            _SHORT.pack(bound.statement.consistency),
            flags,
        )
    )
