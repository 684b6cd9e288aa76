"""What a backup says of itself: ring, schema, rows and files, in one text that is written last.

The text has a first line with the format and the SHA-256 of all that follows, which is JSON. So
half a manifest, or one that was changed, is told from a whole one.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import msgspec

from ring.backups.errors import DamagedBackupError
from ring.token_ring import Place

_FORMAT: Final = 1
_HEAD: Final = re.compile(rb"catalog-ring backup (\d+) sha256=([0-9a-f]{64})\n")
_NAME_FORMAT: Final = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class MappedNode:
    """A node in the map of a ring: where it stands and which tokens are its own."""

    host_id: str
    address: str
    datacenter: str
    rack: str
    version: str
    tokens: tuple[int, ...] = field(repr=False)

    @property
    def where(self) -> Place:
        """Where it stands, as far as replicas care."""
        return Place(self.datacenter, self.rack)


@dataclass(frozen=True, slots=True)
class SchemaPart:
    """One statement of the schema: its kind ("table", "index", …), and what it creates."""

    kind: str
    name: str
    cql: str


@dataclass(frozen=True, slots=True)
class BackedKeyspace:
    """A keyspace: its replication as Cassandra tells it, and all that is in it, in order."""

    name: str
    replication: Mapping[str, str]
    parts: tuple[SchemaPart, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SampledRow:
    """A row that was read twice, before the snapshot and after it, and was the same.

    Attributes:
        key: each column of its key, as JSON.
        sha256: of all its columns.
        expires_at: when the first cell of it expires (seconds since 1970); None when none does, 0.0
            when nobody can tell.
    """

    key: Mapping[str, str]
    sha256: str
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class BackedTable:
    """What a table held. All of it was read at QUORUM.

    Attributes:
        key: columns of the partition key, in order.
        clustering: clustering columns, in order.
        types: CQL type of every column.
        rows: counted just after the snapshot.
        writes: that replicas took between the moment before the snapshot and the end of counting:
            0 makes `rows` exact; None when a node was started anew meanwhile.
        may_expire: rows may go without anybody's doing; so `rows` is the most there can be.
        samples: rows of it, at random places of the ring.
    """

    keyspace: str
    name: str
    key: tuple[str, ...]
    clustering: tuple[str, ...]
    types: Mapping[str, str] = field(repr=False)
    rows: int
    writes: int | None
    may_expire: bool
    samples: tuple[SampledRow, ...] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class BackedFile:
    """A file of an SSTable of one node, which the store keeps by its SHA-256."""

    keyspace: str
    table: str
    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A whole backup.

    Attributes:
        name: when it was begun, see `backup_name`.
        ring: name of the cluster.
        snapshot_began_at, snapshot_ended_at: what was acknowledged at QUORUM before the first is in
            it, what was begun after the second is not; between them, both may be (UTC).
        files: of each node, by host id.
    """

    name: str
    ring: str
    snapshot_began_at: datetime
    snapshot_ended_at: datetime
    nodes: tuple[MappedNode, ...]
    keyspaces: tuple[BackedKeyspace, ...]
    tables: tuple[BackedTable, ...]
    files: Mapping[str, tuple[BackedFile, ...]] = field(repr=False)

    @property
    def rows(self) -> int:
        """The rows of all tables."""
        return sum(table.rows for table in self.tables)

    @property
    def objects(self) -> dict[str, int]:
        """The SHA-256 of everything that the store must hold, with its bytes."""
        return {one.sha256: one.size_bytes for files in self.files.values() for one in files}


def backup_name(moment: datetime) -> str:
    """Return the name of a backup that begins now: names sort as the backups were made."""
    return moment.astimezone(UTC).strftime(_NAME_FORMAT)


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the text of a manifest."""
    body = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    digest = hashlib.sha256(body).hexdigest()
    return f"catalog-ring backup {_FORMAT} sha256={digest}\n".encode() + body


def decode_manifest(text: bytes) -> Manifest:
    """Return what a text says.

    Raises:
        DamagedBackupError: it is no manifest, not a whole one, or one of a later program.
    """
    head = _HEAD.match(text)
    if head is None:
        raise DamagedBackupError("no manifest of a backup begins like this")
    if int(head[1]) != _FORMAT:
        raise DamagedBackupError(
            f"its format is {int(head[1])}, known is {_FORMAT}",
            advice="Read it with the version of this program that wrote it.",
        )
    body = text[head.end() :]
    if hashlib.sha256(body).hexdigest() != head[2].decode():
        raise DamagedBackupError("its checksum is wrong: it is not whole, or was changed")
    try:
        return msgspec.json.decode(body, type=Manifest)
    except msgspec.MsgspecError as error:
        raise DamagedBackupError(f"it says what cannot be: {error}") from error
