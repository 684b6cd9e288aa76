"""What a staging folder of SSTables is to hold, and what it holds.

A staging folder is whole when `manifest.json` stands in it: the writer makes that file last. Beside
it, `plan.json` says for which ring it was made.
"""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from etl.errors import LoadError
from ring import RingState
from ring.token_ring import Place, replicas_by_token

MANIFEST: Final = "manifest.json"
PLAN: Final = "plan.json"
EVERYWHERE: Final = "all"
TAGS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_COMMENTS: Final = re.compile(r"--[^\n]*")


class StagingError(LoadError):
    """SSTables could not be written, or a staging folder is not what it should be."""


@dataclass(frozen=True, slots=True)
class StagedTable:
    """A table to be staged.

    Attributes:
        name: of the table.
        cql: its whole CREATE TABLE, options included: the SSTables are written with them.
        columns: (name, type) in the order of the rows; the type is CQL's (bigint, int, tinyint,
            boolean, ascii, text, timestamp as milliseconds, blob as its UTF-8 text) or "blob_hex",
            a blob given in hexadecimal digits.
        expected_bytes: about how large its rows are in all; 0: not known. Rows are sorted in
            pieces that this makes large enough.
        timestamp_microseconds: of every cell of the table; 0: the plan's.
    """

    name: str
    cql: str
    columns: tuple[tuple[str, str], ...]
    expected_bytes: int = 0
    timestamp_microseconds: int = 0


@dataclass(frozen=True, slots=True)
class TargetPlan:
    """Which SSTables which nodes get.

    Attributes:
        targets: name of a target (a set of SSTables of its own) → host ids of its nodes.
        ranges: (end of a token range, indexes of its targets), ascending; tokens after the last
            belong to the first. Empty when there is one target.
        ring: (token, host id) of the ring that this was made for.
        replication: copies by datacenter.
    """

    targets: Mapping[str, tuple[str, ...]]
    ranges: tuple[tuple[int, tuple[int, ...]], ...]
    ring: tuple[tuple[int, str], ...] = field(repr=False)
    replication: Mapping[str, int]

    @classmethod
    def of_ring(cls, state: RingState) -> "TargetPlan":
        """Plan for a ring.

        Where all ranges have the same replicas (no more nodes than copies), one set of SSTables
        serves every node. Else each node gets a set of its own, exactly with its tokens: sets that
        several nodes share would hold as many runs a node as there are combinations of replicas,
        which overlap and would all be compacted.

        Raises:
            StagingError: a range has no replica.
        """
        everyone = (*state.nodes, *state.remote_nodes)
        ring = sorted((token, node.host_id) for node in everyone for token in node.tokens)
        places = {node.host_id: Place(node.datacenter, node.rack) for node in everyone}
        replicas = replicas_by_token(ring, places, state.replication)
        if not replicas or not all(replicas):
            raise StagingError("the keyspace has token ranges without a replica")
        factors = dict(state.replication.factors)
        if len({frozenset(hosts) for hosts in replicas}) == 1:
            targets = {EVERYWHERE: tuple(sorted(replicas[0]))}
            return cls(targets, (), tuple(ring), factors)
        hosts = sorted({host for owners in replicas for host in owners})
        indexes = {host: index for index, host in enumerate(hosts)}
        ranges = tuple(
            (token, tuple(sorted(indexes[host] for host in owners)))
            for (token, _), owners in zip(ring, replicas, strict=True)
        )
        return cls({host: (host,) for host in hosts}, ranges, tuple(ring), factors)

    def fits(self, state: RingState) -> bool:
        """Whether the ring still is the one that this was made for."""
        now = TargetPlan.of_ring(state)
        return now.ring == self.ring and now.replication == self.replication


@dataclass(frozen=True, slots=True)
class StagingPlan:
    """What one staging folder is to hold.

    Attributes:
        keyspace: of all tables.
        timestamp_microseconds: of every cell of the tables that give none of their own.
    """

    keyspace: str
    tables: tuple[StagedTable, ...]
    target_plan: TargetPlan
    timestamp_microseconds: int

    def tag(self, table: str) -> str:
        """Return the character that begins the lines of a table."""
        return TAGS[[one.name for one in self.tables].index(table)]

    def table(self, name: str) -> StagedTable:
        """Return a table by its name.

        Raises:
            StagingError: there is none.
        """
        for one in self.tables:
            if one.name == name:
                return one
        raise StagingError(f"the staging plan has no table {name}")

    def write(self, directory: Path) -> None:
        """Write `plan.json`."""
        (directory / PLAN).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, directory: Path) -> "StagingPlan":
        """Read `plan.json`.

        Raises:
            StagingError: there is none, or another version's.
        """
        try:
            content = json.loads((directory / PLAN).read_text(encoding="utf-8"))
            plan = content.pop("target_plan")
            target_plan = TargetPlan(
                {name: tuple(hosts) for name, hosts in plan["targets"].items()},
                tuple((end, tuple(indexes)) for end, indexes in plan["ranges"]),
                tuple((token, host) for token, host in plan["ring"]),
                plan["replication"],
            )
            tables = tuple(
                StagedTable(**{**table, "columns": tuple(tuple(c) for c in table["columns"])})
                for table in content.pop("tables")
            )
            return cls(tables=tables, target_plan=target_plan, **content)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StagingError(f"{directory / PLAN} cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class StagedRows:
    """What became of one table's rows.

    Attributes:
        rows_in: lines that came.
        rows: rows in the SSTables; fewer when keys came twice.
        partitions: of these rows.
        duplicates: `rows_in - rows`.
        files: target → name of a file → bytes.
    """

    rows_in: int
    rows: int
    partitions: int
    duplicates: int
    files: Mapping[str, Mapping[str, int]] = field(repr=False)

    @property
    def sstable_bytes(self) -> int:
        """All files of all targets."""
        return sum(size for sizes in self.files.values() for size in sizes.values())


@dataclass(frozen=True, slots=True)
class Staged:
    """A whole staging folder: `directory/TARGET/KEYSPACE/TABLE/` holds the SSTables."""

    directory: Path
    plan: StagingPlan
    tables: Mapping[str, StagedRows]
    reading_seconds: float
    writing_seconds: float

    @classmethod
    def read(cls, directory: Path) -> "Staged":
        """Look at a folder.

        Raises:
            StagingError: it is not whole.
        """
        # Nodes are told where it is.
        directory = directory.absolute()
        try:
            content = json.loads((directory / MANIFEST).read_text(encoding="utf-8"))
            tables = {one["table"]: _rows(one) for one in content["tables"]}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StagingError(f"{directory} holds no whole staging: {error}") from error
        return cls(
            directory,
            StagingPlan.read(directory),
            tables,
            content["reading_seconds"],
            content["writing_seconds"],
        )

    def discard(self) -> None:
        """Remove the folder: every replica has what it holds. Nodes keep their links."""
        # First, so that a removal that is stopped leaves nothing that looks whole.
        (self.directory / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(self.directory)

    def folder(self, target: str, table: str) -> Path:
        """Return where the SSTables of one table for one target are."""
        return self.directory / target / self.plan.keyspace / table


def _rows(content: Mapping[str, Any]) -> StagedRows:
    return StagedRows(
        rows_in=content["rows_in"],
        rows=content["rows"],
        partitions=content["partitions"],
        duplicates=content["duplicates"],
        files=content["files"],
    )


def create_table(cql: str) -> str:
    """Return the statement of a file in `schema/tables/` without its comments."""
    return _COMMENTS.sub("", cql).strip().rstrip(";").strip()


def java_specification(
    plan: StagingPlan,
    directory: Path,
    pipes: Sequence[Path],
    *,
    workers: int,
    bucket_bytes: int,
    row_bytes_limit: int,
) -> dict[str, Any]:
    """Return what the Java program is told; `etl/sstables/Spec.java` describes it."""
    return {
        "directory": str(directory),
        "inputs": [str(pipe) for pipe in pipes],
        "workers": workers,
        "bucket_bytes": bucket_bytes,
        "row_bytes_limit": row_bytes_limit,
        "targets": list(plan.target_plan.targets),
        "ranges": plan.target_plan.ranges,
        "tables": [
            {
                "tag": plan.tag(table.name),
                "keyspace": plan.keyspace,
                "table": table.name,
                "cql": create_table(table.cql),
                "columns": table.columns,
                "expected_bytes": table.expected_bytes,
                "timestamp_microseconds": table.timestamp_microseconds
                or plan.timestamp_microseconds,
            }
            for table in plan.tables
        ],
    }
