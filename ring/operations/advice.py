"""Whether the ring's load asks for another node or could do without one: decided, never fetched.

Adding and removing have thresholds far apart, look at windows of different lengths (a busy half an
hour adds, but only a quiet day removes), and rest after each change. What a removal would leave is
worked out before it is advised, so that no removal leads to an addition.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from statistics import fmean
from typing import Final

from ring.operations.errors import Refusal, RefusedError
from ring.operations.figures import (
    NodeFigures,
    RingFigures,
    disks_left,
    known,
    least_useful,
    rack_sizes,
)
from ring.settings import setting

LEAST_NODES: Final = 3
_GIB: Final = 1024**3


class Action(Enum):
    """What is advised."""

    ADD = "add"
    REMOVE = "remove"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class AdviseSettings:
    """When `catalog-ring advise` says add or remove. Shares are of 1, windows end now."""

    advise_window_seconds: float = setting(1800.0, "a load that lasts this long asks for a node")
    advise_quiet_seconds: float = setting(86400.0, "a ring that was quiet this long can lose one")
    advise_settle_seconds: float = setting(3600.0, "rest after a node came or left")
    advise_stale_seconds: float = setting(120.0, "figures older than this are not advised on")
    advise_coverage: float = setting(0.9, "share of a window that figures must be there for")
    advise_cpu_high: float = setting(0.7, "share of all cores, on average of the nodes: add")
    advise_cpu_low: float = setting(0.25, "peak below which a node can be spared")
    advise_cpu_left: float = setting(0.5, "peak that a removal may lead to")
    advise_disk_high: float = setting(0.6, "share of a node's disk: add; compaction needs the rest")
    advise_disk_left: float = setting(0.45, "share of any disk that a removal may lead to")
    advise_read_p99_high_seconds: float = setting(0.1, "p99 of reads: add, where CPU is the cause")
    advise_read_p99_low_seconds: float = setting(0.05, "p99 of reads below which one can be spared")
    advise_read_cpu: float = setting(0.5, "share of all cores from which slow reads are its fault")
    advise_compactions_high: float = setting(20.0, "pending on most of the nodes: add")
    advise_compactions_low: float = setting(5.0, "pending on no node: one can be spared")

    def __post_init__(self) -> None:
        for low, high in (
            ("advise_cpu_low", "advise_cpu_left"),
            ("advise_cpu_left", "advise_cpu_high"),
            ("advise_disk_left", "advise_disk_high"),
            ("advise_read_p99_low_seconds", "advise_read_p99_high_seconds"),
            ("advise_compactions_low", "advise_compactions_high"),
        ):
            if not 0 <= getattr(self, low) < getattr(self, high):
                names = f"CATALOG_{low.upper()} and CATALOG_{high.upper()}"
                raise ValueError(f"{names}: the first must be below the second")
        if self.advise_settle_seconds < self.advise_window_seconds:
            raise ValueError("CATALOG_ADVISE_SETTLE_SECONDS: at least the window's seconds")
        for name in ("advise_coverage", "advise_cpu_high", "advise_disk_high", "advise_read_cpu"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"CATALOG_{name.upper()}: a share above 0, at most 1")
        for name in ("advise_window_seconds", "advise_quiet_seconds", "advise_stale_seconds"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"CATALOG_{name.upper()}: above 0")


@dataclass(frozen=True, slots=True)
class Advice:
    """What is advised, why, and for a removal the node that is needed least."""

    action: Action
    reasons: tuple[str, ...]
    node: str = ""


def decide(figures: RingFigures, settings: AdviseSettings) -> Advice:
    """Return what the figures ask for.

    Raises:
        RefusedError: figures are missing or old, or the ring is not at rest.
    """
    _refuse_unknown(figures, settings)
    _refuse_unrest(figures)
    rested_seconds = figures.at - figures.changed_at
    if rested_seconds < settings.advise_settle_seconds:
        reason = (
            f"a node came or left {rested_seconds:.0f} s ago; the load is looked at after"
            f" {settings.advise_settle_seconds:.0f} s of rest"
        )
        return Advice(Action.NOTHING, (reason,))
    asks = tuple(_reasons_to_add(figures, settings))
    if asks:
        return Advice(Action.ADD, asks)
    against = tuple(_reasons_to_keep(figures, settings))
    if against:
        return Advice(Action.NOTHING, (*_remarks(figures, settings), *against))
    node = least_useful(figures.nodes)
    return Advice(Action.REMOVE, tuple(_reasons_to_remove(figures, node)), node.node)


def _refuse_unknown(figures: RingFigures, settings: AdviseSettings) -> None:
    problems = [f"no figures for {question}" for question in figures.missing]
    age_seconds = figures.at - figures.oldest_at
    if figures.oldest_at and age_seconds > settings.advise_stale_seconds:
        problems.append(f"the figures are {age_seconds:.0f} s old")
    if figures.covered < settings.advise_coverage:
        problems.append(
            f"only {figures.covered:.0%} of the last {settings.advise_window_seconds:.0f} s are"
            " covered by figures"
        )
    # A dead node has no figures, and that it is dead is what needs to be said.
    problems += [
        f"no {', '.join(node.unknown)} of {node.node}"
        for node in figures.nodes
        if node.up and node.unknown
    ]
    if not figures.nodes:
        problems.append("no node is known")
    _refuse(
        problems,
        "See that Prometheus scrapes the exporter and the app servers (its /targets), and ask again"
        " when the window is covered.",
    )


def _refuse_unrest(figures: RingFigures) -> None:
    _refuse(
        [
            f"{node.node} is down, so the others do its work"
            for node in figures.nodes
            if not node.up
        ],
        "Start it, or put another host in its place: catalog-ring replace.",
    )
    under_way = figures.holder
    if figures.moving and not under_way:
        under_way = f"{figures.moving} node(s) joining, leaving or moving"
    _refuse(
        [f"an operation is under way: {under_way}"] if under_way else [],
        "Ask again when it has ended.",
    )
    owed = figures.owed_cleanups
    _refuse(
        [f"{owed} node(s) hold rows that are no longer theirs"] if owed else [],
        "Run catalog-ring cleanup, and ask again.",
    )


def _refuse(reasons: Iterable[str], advice: str) -> None:
    refusals = [Refusal(reason, advice) for reason in reasons]
    if refusals:
        raise RefusedError(refusals)


def _reasons_to_add(figures: RingFigures, settings: AdviseSettings) -> Iterator[str]:
    cpu = _mean_cpu(figures)
    if cpu > settings.advise_cpu_high:
        yield (
            f"CPU: the nodes take {cpu:.0%} of their cores, more than"
            f" {settings.advise_cpu_high:.0%}, and have for"
            f" {settings.advise_window_seconds:.0f} s"
        )
    fullest = max(figures.nodes, key=lambda node: node.disk_used)
    if fullest.disk_used > settings.advise_disk_high:
        yield (
            f"disk: {fullest.node} uses {fullest.disk_used:.0%}, more than"
            f" {settings.advise_disk_high:.0%}"
        )
    p99 = figures.read_p99_seconds or 0.0
    if p99 > settings.advise_read_p99_high_seconds and cpu > settings.advise_read_cpu:
        yield (
            f"reads: p99 is {p99 * 1000:.0f} ms, more than"
            f" {settings.advise_read_p99_high_seconds * 1000:.0f} ms, while the nodes take"
            f" {cpu:.0%} of their cores"
        )
    behind = _behind(figures, settings)
    if 2 * len(behind) > len(figures.nodes):
        yield (
            f"compaction: {len(behind)} of {len(figures.nodes)} nodes have more than"
            f" {settings.advise_compactions_high:.0f} pending"
        )


def _remarks(figures: RingFigures, settings: AdviseSettings) -> Iterator[str]:
    """What is amiss, yet would be no better with a node more."""
    p99 = figures.read_p99_seconds or 0.0
    if p99 > settings.advise_read_p99_high_seconds:
        yield (
            f"reads: p99 is {p99 * 1000:.0f} ms although the nodes take only"
            f" {_mean_cpu(figures):.0%} of their cores: another node would not help"
        )
    for node in _behind(figures, settings):
        yield (
            f"compaction: {node.node} has {known(node.pending_compactions):.0f} pending, most"
            " others have not: look at that node"
        )


def _reasons_to_keep(figures: RingFigures, settings: AdviseSettings) -> Iterator[str]:
    nodes = figures.nodes
    least = max(LEAST_NODES, figures.replication_factor)
    if len(nodes) <= least:
        yield (
            f"{len(nodes)} node(s): a ring keeps {LEAST_NODES}, and as many as its replication"
            f" factor, {figures.replication_factor}"
        )
        return
    if figures.quiet_covered < settings.advise_coverage:
        yield (
            f"only {figures.quiet_covered:.0%} of the last {settings.advise_quiet_seconds:.0f} s"
            " are covered by figures: too little to remove a node"
        )
    sizes = rack_sizes(nodes)
    if max(sizes.values()) == 1 and len(sizes) <= figures.replication_factor:
        yield f"racks: each of the {len(sizes)} has one node, which holds a replica of every row"
    yield from _loads_to_keep(figures, settings)


def _loads_to_keep(figures: RingFigures, settings: AdviseSettings) -> Iterator[str]:
    nodes = figures.nodes
    peak = fmean(known(node.cpu_peak) for node in nodes)
    left = peak * len(nodes) / (len(nodes) - 1)
    if peak > settings.advise_cpu_low or left > settings.advise_cpu_left:
        yield (
            f"CPU: the peak of {peak:.0%} would be {left:.0%} with a node fewer; to spare one it"
            f" must be below {settings.advise_cpu_low:.0%} and {settings.advise_cpu_left:.0%}"
        )
    fullest = max(disks_left(nodes))
    if fullest > settings.advise_disk_left:
        yield (
            f"disk: the fullest would be {fullest:.0%} full with a node fewer, more than"
            f" {settings.advise_disk_left:.0%}"
        )
    p99 = figures.read_p99_seconds or 0.0
    if p99 > settings.advise_read_p99_low_seconds:
        yield (
            f"reads: p99 is {p99 * 1000:.0f} ms; to spare a node it must be below"
            f" {settings.advise_read_p99_low_seconds * 1000:.0f} ms"
        )
    most = max(known(node.pending_compactions) for node in nodes)
    if most > settings.advise_compactions_low:
        yield f"compaction: {most:.0f} pending on one node"


def _reasons_to_remove(figures: RingFigures, node: NodeFigures) -> Iterator[str]:
    count = len(figures.nodes)
    peak = fmean(known(each.cpu_peak) for each in figures.nodes)
    yield f"CPU: the peak of {peak:.0%} would be {peak * count / (count - 1):.0%}"
    yield f"disk: the fullest would be {max(disks_left(figures.nodes)):.0%} full"
    yield (
        f"{node.node} of {node.rack} has the fewest rows to stream:"
        f" {known(node.load_bytes) / _GIB:.1f} GiB"
    )


def _mean_cpu(figures: RingFigures) -> float:
    return fmean(known(node.cpu_busy) for node in figures.nodes)


def _behind(figures: RingFigures, settings: AdviseSettings) -> list[NodeFigures]:
    high = settings.advise_compactions_high
    return [node for node in figures.nodes if known(node.pending_compactions) > high]
