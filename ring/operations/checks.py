"""Reads that prove something: that a node answers for the catalog, that replicas agree."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ring.operations.context import Context
from ring.operations.view import RingView
from ring.statements import Consistency
from ring.token_ring import Place, Replication, replicas_by_token

_READ_SECONDS: Final = 20.0
_ROWS_PER_RANGE: Final = 10
_RANGES_PER_TABLE: Final = 64
# A write that is under way reaches replicas one after the other.
_LOOKS: Final = 3
_PAUSE_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class TokenRange:
    """Tokens above `after` and up to `until`, and the addresses of the nodes that hold them."""

    after: int | None
    until: int | None
    replicas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What sampled rows of one table came to.

    Attributes:
        rows: that were compared.
        differences: in words, one for each range in which replicas differ.
    """

    table: str
    rows: int
    differences: tuple[str, ...]


async def check_reads(context: Context, address: str) -> int:
    """Read from each table of the catalog at QUORUM, with a node as the coordinator.

    Returns:
        How many tables were read.

    Raises:
        OperationError: a read failed or took too long.
    """
    view = await context.reader.read()
    for table in sorted(view.tables):
        await context.reader.run_cql(
            # Names come from Cassandra's own list of tables.
            f'SELECT * FROM "{context.settings.keyspace}"."{table}" LIMIT 1',  # noqa: S608
            address=address,
            consistency=Consistency.QUORUM,
            timeout_seconds=_READ_SECONDS,
        )
    return len(view.tables)


async def compare_replicas(
    context: Context, view: RingView, table: str, *, rows: int
) -> Comparison:
    """Read sampled rows of a table from each of their replicas by itself, and compare.

    Consistency: ONE, through each replica in turn, which then reads its own copy.

    Raises:
        OperationError: a replica did not answer.
    """
    keyspace = context.settings.keyspace
    key = await _partition_key(context, table)
    ranges = list(token_ranges(view, keyspace))
    random.shuffle(ranges)
    compared = 0
    differences = []
    for one in ranges[:_RANGES_PER_TABLE]:
        if compared >= rows:
            break
        count, difference = await _compare_range(context, table, key, one)
        compared += count
        if difference:
            differences.append(difference)
    return Comparison(table, compared, tuple(differences))


def token_ranges(view: RingView, keyspace: str) -> Iterator[TokenRange]:
    """Yield the ring's ranges with the replicas of a keyspace; the one that wraps comes in two."""
    ring = sorted((token, node.address) for node in view.members for token in node.tokens)
    places = {node.address: Place(node.datacenter, node.rack) for node in view.members}
    replication = Replication(dict(view.replication.get(keyspace, {})))
    replicas = replicas_by_token(ring, places, replication)
    for index, (token, _) in enumerate(ring):
        if index:
            yield TokenRange(ring[index - 1][0], token, replicas[index])
        else:
            yield TokenRange(ring[-1][0], None, replicas[0])
            yield TokenRange(None, token, replicas[0])


async def _partition_key(context: Context, table: str) -> str:
    columns = await context.reader.run_cql(
        # The settings admit letters, digits and _ in the name.
        "SELECT column_name, kind, position FROM system_schema.columns"  # noqa: S608
        f" WHERE keyspace_name = '{context.settings.keyspace}' AND table_name = '{table}'"
    )
    parts = sorted(
        (int(row["position"]), str(row["column_name"]))
        for row in columns
        if row["kind"] == "partition_key"
    )
    return ", ".join(f'"{name}"' for _, name in parts)


async def _compare_range(
    context: Context, table: str, key: str, one: TokenRange
) -> tuple[int, str]:
    bounds = []
    if one.after is not None:
        bounds.append(f"token({key}) > {one.after}")
    if one.until is not None:
        bounds.append(f"token({key}) <= {one.until}")
    cql = (
        # Names come from Cassandra's own list of tables.
        f'SELECT * FROM "{context.settings.keyspace}"."{table}" WHERE '  # noqa: S608
        f"{' AND '.join(bounds)} LIMIT {_ROWS_PER_RANGE}"
    )
    for look in range(_LOOKS):
        if look:
            await asyncio.sleep(_PAUSE_SECONDS)
        held = await asyncio.gather(*(_rows_at(context, cql, each) for each in one.replicas))
        if all(rows == held[0] for rows in held):
            return len(held[0]) if held else 0, ""
    return len(held[0]), describe_difference(one, held)


async def _rows_at(context: Context, cql: str, address: str) -> list[str]:
    rows = await context.reader.run_cql(
        cql, address=address, consistency=Consistency.ONE, timeout_seconds=_READ_SECONDS
    )
    return [repr(row) for row in rows]


def describe_difference(one: TokenRange, held: Sequence[Sequence[str]]) -> str:
    """Say which replicas of a range hold other rows than the first, and how many of them."""
    everything = set().union(*held)
    missing = [
        f"{address} lacks or differs in {len(everything - set(rows))}"
        for address, rows in zip(one.replicas, held, strict=True)
        if everything - set(rows)
    ]
    return f"tokens up to {one.until}: {'; '.join(missing)} of {len(everything)} rows"
