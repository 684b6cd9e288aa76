"""Counts and samples of any table's rows, read at QUORUM: what a backup and a restore compare.

Values are read as JSON texts, so that rows of any types are compared alike, and keys are given back
as such.
"""

import asyncio
import hashlib
import itertools
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from ring.backups.bounded import side_by_side
from ring.backups.manifest import SampledRow
from ring.operations.reading import RingReader
from ring.operations.tables import Table, literal, quote
from ring.statements import Consistency

AT_ONCE: Final = 4
"""Reads side by side: a backup must not be felt."""
_READ_SECONDS: Final = 30.0
_COUNT_SECONDS: Final = 300.0
_LOWEST: Final = -(2**63)
_TOKENS: Final = 2**64
_PLACES: Final = 16
_ROWS_A_PLACE: Final = 4
_BYTES_A_COUNT: Final = 32 * 1024**2
_MOST_COUNTS: Final = 4096
_NULL: Final = "null"
UNKNOWN: Final = 0.0
"""When a row expires of which nobody can tell: it may have expired at any time."""

Writes = Mapping[tuple[str, str], Mapping[str, int]]
"""Of each table (keyspace, name), how many writes each node has taken since it was started."""


class RowReader:
    """Reads rows through each node in turn, so that none coordinates all of it."""

    def __init__(self, reader: RingReader, addresses: Sequence[str]) -> None:
        """Read through nodes at these addresses."""
        self._reader = reader
        self._addresses = itertools.cycle(addresses)

    async def sample(self, table: Table) -> list[SampledRow]:
        """Return rows from sixteen places of the ring: all, of a table that has only a few.

        Consistency: QUORUM.

        Raises:
            OperationError: too few replicas answered.
        """
        found: list[SampledRow] = []

        async def read(span: tuple[int, int]) -> None:
            low, high = span
            where = f"{table.token} > {low} AND {table.token} <= {high}"
            rows = await self._read(table, table.types, f"{where} LIMIT {_ROWS_A_PLACE}")
            found.extend(rows)

        await side_by_side(AT_ONCE, spans(_PLACES), read)
        return sorted(found, key=lambda row: sorted(row.key.items()))

    async def read_again(
        self, table: Table, columns: Iterable[str], key: Mapping[str, str]
    ) -> SampledRow | None:
        """Return a sampled row as it is now; None when it is gone. Consistency: QUORUM.

        Args:
            table: its table.
            columns: that the table had when it was sampled; only these are compared.
            key: of the row.

        Raises:
            OperationError: too few replicas answered.
        """
        # A partition that has static columns only comes as a row without a clustering key.
        given = [name for name in (*table.key, *table.clustering) if key[name] != _NULL]
        where = " AND ".join(f"{quote(name)} = from_json({literal(key[name])})" for name in given)
        rows = await self._read(table, columns, f"{where} LIMIT 1")
        return rows[0] if rows and rows[0].key == key else None

    async def count(self, table: Table, size_bytes: int) -> int:
        """Count a table's rows, part by part of the ring. Consistency: QUORUM.

        Args:
            table: which.
            size_bytes: about how large it is: no part shall take long.

        Raises:
            OperationError: too few replicas answered.
        """
        counts: list[int] = []

        async def count(span: tuple[int, int]) -> None:
            low, high = span
            rows = await self._run(
                f"SELECT count(*) AS rows FROM {table.full_name}"  # noqa: S608 - of the schema
                f" WHERE {table.token} > {low} AND {table.token} <= {high}",
                _COUNT_SECONDS,
            )
            counts.append(int(rows[0]["rows"]))

        parts = min(_MOST_COUNTS, 1 + size_bytes // _BYTES_A_COUNT)
        await side_by_side(AT_ONCE, spans(parts), count)
        return sum(counts)

    async def has_rows(self, table: Table) -> bool:
        """Whether a table has any row. Consistency: QUORUM.

        Raises:
            OperationError: too few replicas answered.
        """
        key = ", ".join(map(quote, table.key))
        cql = f"SELECT {key} FROM {table.full_name} LIMIT 1"  # noqa: S608 - names of the schema
        return bool(await self._run(cql, _READ_SECONDS))

    async def _read(self, table: Table, columns: Iterable[str], where: str) -> list[SampledRow]:
        names = sorted(columns)
        timed = [name for name in table.cells if name in names and _has_time(table.types[name])]
        wanted = [f"to_json({quote(name)}) AS v{place}" for place, name in enumerate(names)]
        wanted += [f"ttl({quote(name)}) AS t{place}" for place, name in enumerate(timed)]
        rows = await self._run(
            # Names come from Cassandra's schema, values are quoted.
            f"SELECT {', '.join(wanted)} FROM {table.full_name} WHERE {where}",  # noqa: S608
            _READ_SECONDS,
        )
        now = time.time()
        found = []
        for row in rows:
            values = {name: str(row[f"v{place}"] or _NULL) for place, name in enumerate(names)}
            left = [row[f"t{place}"] for place in range(len(timed))]
            # A row that has nothing but its key does not tell.
            is_known = any(values[name] != _NULL for name in timed)
            found.append(
                SampledRow(
                    key={name: values[name] for name in (*table.key, *table.clustering)},
                    sha256=_digest(values),
                    expires_at=_expiry(now, left) if is_known else UNKNOWN,
                )
            )
        return found

    async def _run(self, cql: str, timeout_seconds: float) -> list[dict[str, Any]]:
        return await self._reader.run_cql(
            cql,
            address=next(self._addresses),
            consistency=Consistency.QUORUM,
            timeout_seconds=timeout_seconds,
        )


async def fetch_writes(reader: RingReader, addresses: Sequence[str]) -> Writes:
    """Return how many writes nodes have taken. Consistency: ONE, of each node itself.

    Raises:
        OperationError: one does not answer.
    """
    cql = "SELECT keyspace_name, table_name, count FROM system_views.local_write_latency"
    answers = await asyncio.gather(*(reader.run_cql(cql, address=one) for one in addresses))
    writes: dict[tuple[str, str], dict[str, int]] = {}
    for address, rows in zip(addresses, answers, strict=True):
        for row in rows:
            table = (str(row["keyspace_name"]), str(row["table_name"]))
            writes.setdefault(table, {})[address] = int(row["count"])
    return writes


async def fetch_sizes(reader: RingReader, addresses: Sequence[str]) -> dict[tuple[str, str], int]:
    """Return about how many bytes each table has on disk, of all nodes; ONE, of each node itself.

    Raises:
        OperationError: one does not answer.
    """
    cql = "SELECT keyspace_name, table_name, mebibytes FROM system_views.disk_usage"
    answers = await asyncio.gather(*(reader.run_cql(cql, address=one) for one in addresses))
    sizes: dict[tuple[str, str], int] = {}
    for row in itertools.chain.from_iterable(answers):
        table = (str(row["keyspace_name"]), str(row["table_name"]))
        sizes[table] = sizes.get(table, 0) + int(row["mebibytes"]) * 1024**2
    return sizes


def writes_between(before: Writes, after: Writes, table: Table) -> int | None:
    """Return how many writes of a table replicas took; None when one was started anew meanwhile."""
    name = (table.keyspace, table.name)
    earlier, later = before.get(name, {}), after.get(name, {})
    if earlier.keys() != later.keys():
        return None
    taken = [later[address] - earlier[address] for address in later]
    return None if min(taken, default=0) < 0 else sum(taken)


def spans(count: int) -> Iterator[tuple[int, int]]:
    """Yield as many spans of tokens, each above its first and up to its second, of all the ring."""
    bounds = [_LOWEST + _TOKENS * part // count for part in range(count)]
    # No key has the lowest token.
    return itertools.pairwise([*bounds, -_LOWEST - 1])


def _digest(values: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _has_time(kind: str) -> bool:
    """Whether cells of a type can be asked how long they live.

    Counters live for ever. Of collections, Cassandra 5.0 answers with what no client can read as
    soon as a part of one lives for ever.
    """
    return kind != "counter" and not kind.startswith(("set<", "list<", "map<"))


def _expiry(now: float, left: Sequence[int | None]) -> float | None:
    """Return when the first cell expires, of which each has so many seconds left, or none."""
    seconds = [one for one in left if one is not None]
    return now + min(seconds) if seconds else None
