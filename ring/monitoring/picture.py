"""What the exporter tells of the ring at one moment, as plain data; None where nothing is known.

Whatever could not be read is left out, never repeated from before: an old figure would hide what is
wrong. Times are in seconds since 1970; 0 is "never".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ring.hosts.host import HostFacts
from ring.monitoring.past import Past
from ring.operation_lock import Holder
from ring.operations.view import RingView


@dataclass(frozen=True, slots=True)
class Pool:
    """One of a node's thread pools: tasks that run, wait, are done, and ever found no room."""

    active: int
    pending: int
    completed: int
    blocked: int


@dataclass(frozen=True, slots=True)
class NodeTables:
    """What a node tells of itself in its virtual tables, besides what the view has.

    Attributes:
        joined_at: when it became a member of the ring.
        pools: by their names.
        hint_files: of writes that it keeps for nodes that were down.
        oldest_hint_at: None without hints.
        clients: CQL connections.
    """

    joined_at: float
    pools: Mapping[str, Pool]
    hint_files: int
    oldest_hint_at: float | None
    clients: int


@dataclass(frozen=True, slots=True)
class Nginx:
    """nginx's own figures (`stub_status`): counts since it started, and connections now."""

    accepted: int
    handled: int
    requests: int
    reading: int
    writing: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Lock:
    """The lock of the ring; nobody has it when there is no holder."""

    holder: Holder | None


@dataclass(frozen=True, slots=True)
class RingPicture:
    """The ring.

    Attributes:
        keyspace: of the catalog.
        cql_port: of every node.
        sources: whether each place that was asked did answer in time.
        view: None when no node answers.
        tables: of the nodes that answered, by address.
        hosts: names of the inventory's hosts, by address.
        facts: of the hosts of the ring's nodes, by address; None for one that did not answer.
        repaired_at: of the nodes that were ever repaired, by host id.
        lock: whose it is; None where that could not be read.
        owed: host ids of nodes that owe a cleanup.
        front: addresses of the app servers that nginx sends requests to.
        circuits: whether the exporter's own client holds a node out of service, by address.
        past: what operations did.
    """

    keyspace: str
    cql_port: int
    sources: Mapping[str, bool] = field(default_factory=dict)
    view: RingView | None = None
    tables: Mapping[str, NodeTables] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, HostFacts | None] = field(default_factory=dict)
    repaired_at: Mapping[str, float] | None = None
    lock: Lock | None = None
    owed: frozenset[str] | None = None
    front: frozenset[str] | None = None
    circuits: Mapping[str, bool] = field(default_factory=dict)
    past: Past | None = None
    nginx: Nginx | None = None
