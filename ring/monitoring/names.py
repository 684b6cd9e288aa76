"""Every Prometheus name of the exporter, with its labels and what it says."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Name:
    """One metric. Counters get `_total` behind their name."""

    name: str
    documentation: str
    labels: tuple[str, ...] = ()
    is_counter: bool = False


def _node(name: str, documentation: str, *labels: str, is_counter: bool = False) -> Name:
    return Name(f"catalog_node_{name}", documentation, ("node", *labels), is_counter)


def _host(name: str, documentation: str, *, is_counter: bool = False) -> Name:
    return Name(f"catalog_host_{name}", documentation, ("node", "host"), is_counter)


RING_SEEN: Final = Name("catalog_ring_seen", "Whether any node told of the ring.")
RING_NODES: Final = Name("catalog_ring_nodes", "Nodes by state.", ("state",))
RING_MOVING: Final = Name("catalog_ring_moving_nodes", "Nodes that join, leave or move.")
RING_SCHEMAS: Final = Name("catalog_ring_schema_versions", "Schema versions among nodes up.")
RING_REPLICATION: Final = Name(
    "catalog_ring_replication_factor", "Replicas of a row, by datacenter.", ("datacenter",)
)
LOCK_HELD: Final = Name("catalog_ring_lock_held", "Whether an operation has the ring's lock.")
LOCK_SINCE: Final = Name(
    "catalog_ring_lock_since_timestamp_seconds", "When the lock was taken.", ("purpose",)
)
BACKUP_AT: Final = Name(
    "catalog_ring_backup_timestamp_seconds", "When the last backup was whole; 0: never."
)
CIRCUIT: Final = Name(
    "catalog_exporter_circuit_open",
    "Whether the exporter's own client holds the node out of service.",
    ("node",),
)
NODE_INFO: Final = _node(
    "info", "1 for each node.", "host", "host_id", "datacenter", "rack", "version", "schema"
)
NODE_STATE: Final = _node("state", "1 for the state that the node is in.", "state")
NODE_ANSWERS: Final = _node("answers", "Whether the node answered the exporter over CQL.")
NODE_LOAD: Final = _node("load_bytes", "Bytes of its rows on disk, as it last told.")
NODE_JOINED: Final = _node("joined_timestamp_seconds", "When it became a member.")
NODE_REPAIRED: Final = _node(
    "repair_timestamp_seconds", "When its last whole repair began; 0: never."
)
NODE_OWED: Final = _node("cleanup_owed", "Whether it may hold rows that are no longer its own.")
NODE_IN_NGINX: Final = _node("app_in_nginx", "Whether nginx asks the app server beside it.")
NODE_COMPACTIONS: Final = _node("pending_compactions", "Compactions to come, as it estimates.")
NODE_TASKS_LEFT: Final = _node(
    "task_left_bytes", "Bytes that running compactions, cleanups and validations have left."
)
NODE_STREAMS: Final = _node("streams", "Transfers of rows that are under way, in or out.")
NODE_STREAM_DONE: Final = _node("stream_done_bytes", "Bytes that these have moved.")
NODE_STREAM_EXPECTED: Final = _node(
    "stream_expected_bytes", "Bytes that these are to move, as far as is known."
)
NODE_HINT_FILES: Final = _node(
    "hint_files", "Files of writes for other nodes that are ready to be handed over."
)
NODE_HINT_OLDEST: Final = _node(
    "hint_oldest_timestamp_seconds", "When the oldest of these was written."
)
NODE_CLIENTS: Final = _node("clients", "CQL connections.")
POOL_ACTIVE: Final = _node("pool_active_tasks", "Tasks that run.", "pool")
POOL_PENDING: Final = _node("pool_pending_tasks", "Tasks that wait for a thread.", "pool")
POOL_COMPLETED: Final = _node(
    "pool_completed_tasks", "Tasks that are done.", "pool", is_counter=True
)
POOL_BLOCKED: Final = _node(
    "pool_blocked_tasks", "Tasks that the queue had no room for.", "pool", is_counter=True
)

HOST_REACHABLE: Final = _host("reachable", "Whether the host told of itself.")
HOST_DISK: Final = _host("disk_bytes", "Size of the disk that a node's rows lie on.")
HOST_DISK_FREE: Final = _host("disk_free_bytes", "What is free of it.")
HOST_CLOCK: Final = _host("clock_offset_seconds", "Its clock minus the exporter's.")
HOST_CPU: Final = _host("cpu_seconds", "CPU time of all cores, for whatever.", is_counter=True)
HOST_CORES: Final = _host("cpu_cores", "Cores.")
HOST_NODE_CPU: Final = _host(
    "node_cpu_seconds", "CPU time of the Cassandra process.", is_counter=True
)

NGINX_UP: Final = Name("catalog_nginx_up", "Whether nginx told its figures.")
NGINX_CONNECTIONS: Final = Name(
    "catalog_nginx_connections", "Connections by what they are at.", ("state",)
)
NGINX_ACCEPTED: Final = Name(
    "catalog_nginx_accepted_connections", "Connections taken.", is_counter=True
)
NGINX_DROPPED: Final = Name(
    "catalog_nginx_dropped_connections", "Connections there was no room for.", is_counter=True
)
NGINX_REQUESTS: Final = Name("catalog_nginx_requests", "Requests taken.", is_counter=True)

OPERATION_AT: Final = Name(
    "catalog_operation_timestamp_seconds",
    "When an operation last ended so; 0: never.",
    ("operation", "outcome"),
)
OPERATION_DURATION: Final = Name(
    "catalog_operation_duration_seconds", "How long that one took.", ("operation", "outcome")
)
_STEP_LABELS: Final = ("operation", "on", "step", "outcome")
STEP_AT: Final = Name(
    "catalog_operation_step_timestamp_seconds",
    "When a step last ended so, of the last run of its operation.",
    _STEP_LABELS,
)
STEP_DURATION: Final = Name(
    "catalog_operation_step_duration_seconds", "How long that one took.", _STEP_LABELS
)
STEP_STREAMED: Final = Name(
    "catalog_operation_step_streamed_bytes", "Bytes streamed meanwhile.", _STEP_LABELS
)

SOURCE_OK: Final = Name(
    "catalog_exporter_source_ok", "Whether a source told its figures in time.", ("source",)
)
READ_SECONDS: Final = Name(
    "catalog_exporter_read_duration_seconds", "How long the figures of this page took."
)

ALL: Final = tuple(each for each in tuple(globals().values()) if isinstance(each, Name))
