"""The figures that are advised on, as plain data that can be recorded and read again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from ring.nodes.errors import NodesError


class FiguresError(NodesError):
    """Figures cannot be read or recorded."""


@dataclass(frozen=True, slots=True)
class NodeFigures:
    """One node of the ring; None where nothing is known.

    Attributes:
        node: its address and CQL port, as figures name it.
        up: whether the others see it up, and in no state but normal.
        cpu_busy: share of its host's cores that was taken for three quarters of the window.
        cpu_peak: share that it stayed below for all but a twentieth of the quiet window.
        load_bytes: of the rows that it holds.
        disk_bytes, disk_free_bytes: of the disk that they lie on.
        pending_compactions: for three quarters of the window, or more.
    """

    node: str
    rack: str
    up: bool = True
    cpu_busy: float | None = None
    cpu_peak: float | None = None
    load_bytes: float | None = None
    disk_bytes: float | None = None
    disk_free_bytes: float | None = None
    pending_compactions: float | None = None

    @property
    def unknown(self) -> tuple[str, ...]:
        """The names of what nobody told of this node."""
        return tuple(name for name in _NEEDED if getattr(self, name) is None)

    @property
    def disk_used(self) -> float:
        """Share of the disk that is taken, by whatever."""
        return 1 - known(self.disk_free_bytes) / known(self.disk_bytes)


_NEEDED = (
    "cpu_busy",
    "cpu_peak",
    "load_bytes",
    "disk_bytes",
    "disk_free_bytes",
    "pending_compactions",
)


@dataclass(frozen=True, slots=True)
class RingFigures:
    """A ring and its load; times are in seconds since 1970.

    Attributes:
        at: when the figures were asked for.
        oldest_at: the oldest among the newest samples; 0 without any.
        covered: share of the window that there are figures for.
        quiet_covered: the same of the quiet window.
        replication_factor: of the keyspace.
        read_p99_seconds: of the shoppers' reads over the window; None when there were none.
        moving: nodes that join, leave or move.
        holder: what the operation that has the lock is for; empty when nobody has it.
        owed_cleanups: nodes that still hold rows that are no longer theirs.
        changed_at: when a node last came or left; 0 when that is not known.
        missing: questions about the ring as a whole that nobody answered.
    """

    at: float
    oldest_at: float
    covered: float
    quiet_covered: float
    replication_factor: int
    nodes: tuple[NodeFigures, ...]
    read_p99_seconds: float | None = None
    moving: int = 0
    holder: str = ""
    owed_cleanups: int = 0
    changed_at: float = 0.0
    missing: tuple[str, ...] = field(default=())


def read_figures(file: Path) -> RingFigures:
    """Return figures that `write_figures` recorded, or somebody wrote.

    Raises:
        FiguresError: the file cannot be read, or holds something else; the message says where.
    """
    try:
        return msgspec.json.decode(file.read_bytes(), type=RingFigures)
    except (OSError, msgspec.MsgspecError) as error:
        raise FiguresError(
            f"{file}: {error}",
            advice="ring/monitoring/README.md shows a file of figures; --record FILE writes one.",
        ) from error


def write_figures(figures: RingFigures, file: Path) -> None:
    """Record figures, to look at or to advise on again.

    Raises:
        FiguresError: the file cannot be written.
    """
    try:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(figures), indent=2) + b"\n")
    except OSError as error:
        raise FiguresError(f"{file}: {error}", advice="Name a file that can be written.") from error


def known(value: float | None) -> float:
    """Return a figure that was found to be there before."""
    if value is None:
        raise ValueError("this figure was never checked")
    return value


def least_useful(nodes: Sequence[NodeFigures]) -> NodeFigures:
    """Return the node to remove: of the fullest rack, the one with the fewest rows to stream.

    Replicas are spread over racks, so the racks are to stay of one size.
    """
    sizes = rack_sizes(nodes)
    return min(nodes, key=lambda node: (-sizes[node.rack], known(node.load_bytes), node.node))


def disks_left(nodes: Sequence[NodeFigures]) -> Iterator[float]:
    """How full each other disk would be, if what the removed node holds is shared out evenly."""
    removed = least_useful(nodes)
    others = [node for node in nodes if node is not removed]
    share_bytes = known(removed.load_bytes) / len(others)
    for node in others:
        yield node.disk_used + share_bytes / known(node.disk_bytes)


def rack_sizes(nodes: Sequence[NodeFigures]) -> dict[str, int]:
    """Return how many nodes each rack has."""
    sizes: dict[str, int] = {}
    for node in nodes:
        sizes[node.rack] = sizes.get(node.rack, 0) + 1
    return sizes
