"""Rows of one statement on their way to the replicas together: UNLOGGED BATCH frames.

A request costs a node more than a small row does. Rows whose first replica is the same node may
share one: that node coordinates what it also stores, as it does for a row that comes alone. Such a
batch promises nothing about its rows together. Each is written or not, so all must be such that
writing them again changes nothing.
"""

import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ring.bound import Bound
from ring.call import Destination, LiveRoute
from ring.errors import RingRequestError
from ring.transport import CqlConnection, EncodeError, TransportError, query

# Cassandra counts 20 bytes for each cell and 50 for each row besides what is in them. A frame has 4
# a value and two values more than there are cells, so this many more a value are never too few.
_VALUE_BYTES: Final = 16
_ASK_SECONDS: Final = 5.0
_THRESHOLDS: Final = (
    "SELECT name, value FROM system_views.settings WHERE name IN"
    " ('batch_size_warn_threshold', 'unlogged_batch_across_partitions_warn_threshold')"
)
_SIZE: Final = re.compile(r"(\d+)([KMG]?)i?B?")
_UNITS: Final = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}

_UNLOGGED: Final = b"\x01"
_PREPARED: Final = b"\x01"
_NO_FLAGS: Final = 0
_SHORT: Final = struct.Struct(">H")
_INT: Final = struct.Struct(">i")


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How much may share a request. By default what a node takes in silence as Cassandra ships it.

    Attributes:
        rows: at the most.
        bytes: as Cassandra measures them. It logs each batch beyond `batch_size_warn_threshold`.
        partitions: it warns in the answer to each batch of more than
            `unlogged_batch_across_partitions_warn_threshold`. Rows of one are one mutation.
    """

    rows: int = 64
    bytes: int = 5 * 1024
    partitions: int = 10

    def within(self, other: "BatchLimits") -> "BatchLimits":
        """Return the narrower of both in each respect."""
        return BatchLimits(
            min(self.rows, other.rows),
            min(self.bytes, other.bytes),
            min(self.partitions, other.partitions),
        )


SHIPPED_LIMITS: Final = BatchLimits()
# Beyond these a larger batch saves nothing any more that could be measured.
_ENOUGH: Final = BatchLimits(64, 16 * 1024, 32)


async def fetch_batch_limits(nodes: Iterable[Destination]) -> BatchLimits:
    """Ask connected nodes what they take without a warning; each of them may get any batch.

    Of a node that does not tell (a managed one may not let us see its settings), the defaults.
    """
    limits = _ENOUGH
    for node in nodes:
        if node.connection is not None:
            limits = limits.within(await _fetch_limits(node.connection))
    return limits


async def _fetch_limits(connection: CqlConnection) -> BatchLimits:
    try:
        rows = await query(connection, _THRESHOLDS, timeout_seconds=_ASK_SECONDS)
    except TransportError:
        return SHIPPED_LIMITS
    told = {str(row["name"]): _SIZE.fullmatch(str(row["value"])) for row in rows}
    size = told.get("batch_size_warn_threshold")
    partitions = told.get("unlogged_batch_across_partitions_warn_threshold")
    return BatchLimits(
        bytes=int(size[1]) * _UNITS[size[2]] if size else SHIPPED_LIMITS.bytes,
        partitions=int(partitions[1]) if partitions else SHIPPED_LIMITS.partitions,
    )


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

    __slots__ = ("bytes", "cells", "key", "partitions", "rows")

    def __init__(self, key: bytes | None) -> None:
        self.key = key
        self.rows: list[Sequence[object]] = []
        self.cells: list[bytes] = []
        self.bytes = 0
        self.partitions: set[bytes | None] = set()

    def has_room(self, row_bytes: int, key: bytes | None, limits: BatchLimits) -> bool:
        return (
            self.bytes + row_bytes <= limits.bytes
            and len(self.rows) < limits.rows
            and (len(self.partitions) < limits.partitions or key in self.partitions)
        )

    def batch(self, name: str) -> RowBatch:
        return RowBatch(name, tuple(self.rows), tuple(self.cells), self.key)


def gather(
    bound: Bound,
    rows: Iterable[Sequence[object]],
    route: Callable[[bytes | None], LiveRoute],
    limits: BatchLimits,
) -> Iterator[RowBatch]:
    """Yield all rows in batches by their first replica, in their order for each of these.

    Args:
        bound: the statement.
        rows: the values of each.
        route: partition key → nodes.
        limits: of a batch of several rows. One that is larger goes alone.

    Raises:
        RingRequestError: a row's values do not fit the statement; the rows before it may have been
            yielded.
    """
    name = bound.statement.name
    encode = bound.prepared.encode
    overhead_bytes = _VALUE_BYTES * len(bound.prepared.encoders)
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
        if gathered is not None and not gathered.has_room(row_bytes, key, limits):
            yield gathered.batch(name)
            gathered = None
        if gathered is None:
            gathered = waiting[node] = _Gathered(key)
        gathered.rows.append(row)
        gathered.cells.append(cells)
        gathered.bytes += row_bytes
        gathered.partitions.add(key)
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
