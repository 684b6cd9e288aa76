"""What the exporter tells of the ring at one moment, as plain data; None where nothing is known.

Whatever could not be read is left out, never repeated from before: an old figure would hide what is
wrong. Times are in seconds since 1970; 0 is "never".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

STATES: Final = {
    "UN": "up_normal",
    "UJ": "up_joining",
    "UL": "up_leaving",
    "UM": "up_moving",
    "DN": "down_normal",
    "DJ": "down_joining",
    "DL": "down_leaving",
    "DM": "down_moving",
}
"""nodetool's letters for the states of a node, and the words that figures have for them."""


@dataclass(frozen=True, slots=True)
class Pool:
    """One of a node's thread pools: tasks that run, wait, are done, and ever were refused room."""

    active: int
    pending: int
    completed: int
    blocked: int


@dataclass(frozen=True, slots=True)
class Hints:
    """What a node keeps for one that was down: files, and the moment of the oldest."""

    files: int
    oldest_at: float


@dataclass(frozen=True, slots=True)
class Streams:
    """A node's transfers that are under way: how many, and their bytes by direction."""

    count: int
    received_bytes: int
    to_receive_bytes: int
    sent_bytes: int
    to_send_bytes: int


@dataclass(frozen=True, slots=True)
class NodeTables:
    """What a node tells of itself in its virtual tables.

    Attributes:
        joined_at: when it became a member of the ring.
        compaction_left_bytes: of the compactions, cleanups and validations that run now.
        pools: by their names.
        hints: by the addresses of the nodes that they are for.
        clients: CQL connections.
    """

    joined_at: float
    streams: Streams
    compaction_left_bytes: int
    pools: Mapping[str, Pool]
    hints: Mapping[str, Hints]
    clients: int


@dataclass(frozen=True, slots=True)
class NodePicture:
    """One node of the ring.

    Attributes:
        node: address and CQL port, as the app servers' figures name it too.
        host: its name in the inventory; empty for a node that is in none.
        state: a key of STATES.
        tables: None when it did not answer in time.
        pending_compactions: Cassandra's own estimate.
        cleanup_owed: whether it may hold rows that are no longer its own.
        repaired_at: when its ranges were last repaired.
        app_in_nginx: whether nginx sends requests to the app server beside it.
    """

    node: str
    host: str
    host_id: str
    datacenter: str
    rack: str
    version: str
    schema_version: str
    state: str
    load_bytes: float | None = None
    tables: NodeTables | None = None
    pending_compactions: float | None = None
    cleanup_owed: bool | None = None
    repaired_at: float | None = None
    app_in_nginx: bool | None = None


@dataclass(frozen=True, slots=True)
class HostPicture:
    """A host of the inventory, whether or not a node of the ring lives there.

    Attributes:
        host: its name in the inventory.
        node: address and CQL port of the node that lives there, or would.
        cpu_seconds: of all its cores, for whatever, since it started.
        node_cpu_seconds: of the Cassandra process.
    """

    host: str
    node: str
    reachable: bool
    disk_bytes: float | None = None
    disk_free_bytes: float | None = None
    clock_offset_seconds: float | None = None
    cpu_seconds: float | None = None
    cpu_cores: float | None = None
    node_cpu_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Nginx:
    """nginx's own figures (`stub_status`)."""

    accepted: int
    handled: int
    requests: int
    reading: int
    writing: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Step:
    """The last run of one step of one operation, as the journal has it.

    Attributes:
        host: that it was about; empty for the whole ring.
        outcome: `done`, `failed`, or whatever else the journal says.
    """

    operation: str
    step: str
    host: str
    outcome: str
    ended_at: float
    duration_seconds: float
    streamed_bytes: float


@dataclass(frozen=True, slots=True)
class Operation:
    """The last run of one operation with one outcome."""

    operation: str
    outcome: str
    ended_at: float
    duration_seconds: float


@dataclass(frozen=True, slots=True)
class Journal:
    """What the journal and the tables beside it tell of operations.

    Attributes:
        unfinished: operations that began, did not end, and hold no lock.
        backup_at: when the last whole backup was made.
    """

    operations: tuple[Operation, ...] = ()
    steps: tuple[Step, ...] = ()
    unfinished: tuple[str, ...] = ()
    backup_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Lock:
    """The lock of the ring: what for, and since when; both empty when nobody has it."""

    purpose: str = ""
    since: float = 0.0

    @property
    def held(self) -> bool:
        """Whether somebody has it."""
        return bool(self.purpose)


@dataclass(frozen=True, slots=True)
class RingPicture:
    """The ring.

    Attributes:
        sources: whether each place that is asked did answer.
        pending_ranges: of all nodes; None when no node told.
        replication_factor: of the catalog's keyspace, by datacenter.
        circuits: whether the exporter's own client holds a node out of service.
    """

    nodes: tuple[NodePicture, ...] = ()
    hosts: tuple[HostPicture, ...] = ()
    sources: Mapping[str, bool] = field(default_factory=dict)
    pending_ranges: int | None = None
    replication_factor: Mapping[str, int] = field(default_factory=dict)
    circuits: Mapping[str, bool] = field(default_factory=dict)
    lock: Lock | None = None
    journal: Journal | None = None
    nginx: Nginx | None = None
