"""Rows gathered into batches: as large as Cassandra likes, none lost, framed as by the driver."""

import io
from collections.abc import Sequence
from typing import Any, cast

import pytest
from cassandra import cqltypes
from cassandra.protocol import BatchMessage
from cassandra.query import BatchType
from hypothesis import given
from hypothesis import strategies as st

from ring import Consistency, Statement
from ring.batches import BatchLimits, RowBatch, batch_body, gather
from ring.bound import Bound
from ring.call import Destination, LiveRoute
from ring.transport import Prepared
from ring.transport.values import encoder_of

ROWS = st.lists(st.tuples(st.integers(0, 50), st.binary(max_size=2_000)), max_size=60)
LIMITS = st.builds(BatchLimits, st.integers(1, 10), st.integers(1_000, 6_000), st.integers(1, 5))
VALUE_BYTES = 16


def _bound(version: int = 4) -> Bound:
    types = (cqltypes.LongType, cqltypes.BytesType)
    prepared = Prepared(
        cql="INSERT",
        protocol_version=version,
        statement_id=b"statement",
        result_metadata_id=b"metadata" if version == 5 else None,
        encoders=tuple(encoder_of(one, version) for one in types),
        decoders=(),
        key_indexes=(0,),
        column_names=(),
        single_bigint=False,
    )
    return Bound(Statement("write", "INSERT", Consistency.LOCAL_QUORUM, True), prepared, None)


def _route(key: bytes | None) -> LiveRoute:
    """Three nodes by the key's last byte."""
    assert key is not None
    return LiveRoute(cast("tuple[Destination, ...]", (key[-1] % 3, "another")), ())


def _gather(rows: Sequence[tuple[int, bytes]], limits: BatchLimits) -> list[RowBatch]:
    return list(gather(_bound(), rows, _route, limits))


@given(ROWS, LIMITS)
def test_rows_when_gathered_then_all_are_there_in_batches_of_one_replica(
    rows: list[tuple[int, bytes]], limits: BatchLimits
) -> None:
    """Nothing is lost or doubled, rows of a node keep their order, and batches keep the bounds."""
    batches = _gather(rows, limits)
    for node in range(3):
        wanted = [row for row in rows if row[0] % 3 == node]
        assert [
            row
            for batch in batches
            for row in cast("Sequence[tuple[int, bytes]]", batch.rows)
            if row[0] % 3 == node
        ] == wanted
    for batch in batches:
        keys = [int(str(row[0])) for row in batch.rows]
        assert len({key % 3 for key in keys}) == 1
        assert batch.key == keys[0].to_bytes(8, "big")
        assert 1 <= len(keys) == len(batch.cells) <= limits.rows
        assert len(set(keys)) <= limits.partitions
        measured = sum(len(cells) + 2 * VALUE_BYTES for cells in batch.cells)
        assert measured <= limits.bytes or len(keys) == 1


def test_rows_when_small_then_as_many_share_a_batch_as_may() -> None:
    """A partition counts once, whatever its rows."""
    rows = [(3 * number, b"x") for number in (1, 1, 1, 2, 2, 3, 3)]
    sizes = [len(batch.rows) for batch in _gather(rows, BatchLimits(partitions=2))]
    assert sizes == [5, 2]
    sizes = [len(batch.rows) for batch in _gather(rows, BatchLimits(rows=3))]
    assert sizes == [3, 3, 1]


def test_rows_when_one_is_large_then_it_goes_alone() -> None:
    """Cassandra warns of large batches; a single row is none, whatever its size."""
    small, large = (0, b"x"), (3, b"x" * 6_000)
    assert [batch.rows for batch in _gather([small, large, small], BatchLimits())] == [
        (small,),
        (large,),
        (small,),
    ]


def test_parts_when_taken_then_each_row_alone_with_its_values() -> None:
    """How a batch that was refused is tried row by row."""
    (batch,) = _gather([(0, b"a"), (3, b"b")], BatchLimits())
    parts = list(batch.parts())
    assert [part.rows for part in parts] == [((0, b"a"),), ((3, b"b"),)]
    assert [part.cells for part in parts] == [(cells,) for cells in batch.cells]


@pytest.mark.parametrize("version", [4, 5])
@given(rows=st.lists(st.tuples(st.integers(0, 50), st.binary(max_size=20)), min_size=1))
def test_body_when_framed_then_byte_for_byte_the_drivers(
    version: int, rows: list[tuple[int, bytes]]
) -> None:
    """The driver's own message of the same statements."""
    bound = _bound(version)
    encoders = bound.prepared.encoders
    queries: list[Any] = [
        (True, b"statement", [encode(value) for encode, value in zip(encoders, row, strict=True)])
        for row in rows
    ]
    message = BatchMessage(BatchType.UNLOGGED, queries, Consistency.LOCAL_QUORUM)
    wanted = io.BytesIO()
    message.send_body(wanted, version)
    cells = [bound.prepared.encode(row)[0] for row in rows]
    assert batch_body(bound, cells) == wanted.getvalue()
