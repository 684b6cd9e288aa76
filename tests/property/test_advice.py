"""Advice never leads to its opposite."""

import dataclasses
from collections.abc import Callable

import hypothesis.strategies as st
from hypothesis import assume, given

from ring.operations.advice import Action, AdviseSettings, decide
from ring.operations.errors import RefusedError
from ring.operations.figures import NodeFigures, RingFigures, known

NOW = 1.8e9
DISK_BYTES = 1e12
SETTINGS = AdviseSettings()
LACKING: list[Callable[[NodeFigures], NodeFigures]] = [
    lambda node: dataclasses.replace(node, cpu_busy=None),
    lambda node: dataclasses.replace(node, cpu_peak=None),
    lambda node: dataclasses.replace(node, load_bytes=None),
    lambda node: dataclasses.replace(node, disk_bytes=None),
    lambda node: dataclasses.replace(node, disk_free_bytes=None),
    lambda node: dataclasses.replace(node, pending_compactions=None),
]


@st.composite
def nodes(draw: st.DrawFn, most: float) -> NodeFigures:
    """Return a node whose peak is no lower than what it always takes; `most` is 1 for any."""
    busy = draw(st.floats(0, most))
    load = draw(st.floats(0, 0.9 * most)) * DISK_BYTES
    return NodeFigures(
        node=f"10.0.0.{draw(st.integers(1, 250))}:9042",
        rack=draw(st.sampled_from("abc")),
        cpu_busy=busy,
        cpu_peak=max(busy, draw(st.floats(0, most))),
        load_bytes=load,
        disk_bytes=DISK_BYTES,
        disk_free_bytes=DISK_BYTES - load,
        pending_compactions=draw(st.floats(0, 40 * most**2)),
    )


@st.composite
def rings(draw: st.DrawFn, most: float = 1.0, least_nodes: int = 1) -> RingFigures:
    """Return a ring at rest with all its figures; `most` is small for a quiet one."""
    some_nodes = st.lists(
        nodes(most), min_size=least_nodes, max_size=9, unique_by=lambda node: node.node
    )
    return RingFigures(
        at=NOW,
        oldest_at=NOW,
        covered=1.0,
        quiet_covered=1.0,
        replication_factor=draw(st.integers(1, 4)),
        nodes=tuple(draw(some_nodes)),
        read_p99_seconds=draw(st.none() | st.floats(0, 0.5 * most**2)),
    )


def _carried_by(figures: RingFigures, nodes: tuple[NodeFigures, ...], share: float) -> RingFigures:
    """Return the same load, on other nodes: each has `share` of what it had."""
    carried = [
        dataclasses.replace(
            node,
            cpu_busy=min(1.0, known(node.cpu_busy) * share),
            cpu_peak=min(1.0, known(node.cpu_peak) * share),
            load_bytes=known(node.load_bytes) * share,
            disk_free_bytes=DISK_BYTES - known(node.load_bytes) * share,
        )
        for node in nodes
    ]
    return dataclasses.replace(figures, nodes=tuple(carried), changed_at=0.0)


@given(rings(most=0.3, least_nodes=4))
def test_decide_when_it_removes_then_what_is_left_is_not_added_to(figures: RingFigures) -> None:
    """What is left carries the load, and is three nodes or the replication factor."""
    advice = decide(figures, SETTINGS)
    assume(advice.action is Action.REMOVE)
    left = tuple(node for node in figures.nodes if node.node != advice.node)
    assert len(left) >= max(3, figures.replication_factor)
    assert {node.rack for node in left} == {node.rack for node in figures.nodes} or len(
        {node.rack for node in left}
    ) >= figures.replication_factor
    # Nodes of one size, as adding and removing leaves them.
    mean = sum(known(node.load_bytes) for node in figures.nodes) / len(figures.nodes)
    even = tuple(dataclasses.replace(node, load_bytes=mean) for node in left)
    after = _carried_by(figures, even, len(figures.nodes) / len(left))
    assert decide(after, SETTINGS).action is not Action.ADD


@given(rings())
def test_decide_when_it_adds_then_the_larger_ring_is_not_taken_from(figures: RingFigures) -> None:
    """A node that was asked for is not sent away again."""
    advice = decide(figures, SETTINGS)
    assume(advice.action is Action.ADD)
    count = len(figures.nodes)
    new = dataclasses.replace(
        figures.nodes[0],
        node="10.0.1.1:9042",
        cpu_busy=sum(known(node.cpu_busy) for node in figures.nodes) / count,
        cpu_peak=sum(known(node.cpu_peak) for node in figures.nodes) / count,
        load_bytes=sum(known(node.load_bytes) for node in figures.nodes) / count,
        pending_compactions=0.0,
    )
    after = _carried_by(figures, (*figures.nodes, new), count / (count + 1))
    assert decide(after, SETTINGS).action is not Action.REMOVE


@given(rings(), st.integers(0, 8), st.sampled_from(LACKING))
def test_decide_when_a_figure_is_missing_then_it_never_advises(
    figures: RingFigures, index: int, lack: Callable[[NodeFigures], NodeFigures]
) -> None:
    """One unknown of one node is enough to refuse."""
    which = figures.nodes[index % len(figures.nodes)]
    lacking = tuple(lack(node) if node is which else node for node in figures.nodes)
    try:
        decide(dataclasses.replace(figures, nodes=lacking), SETTINGS)
    except RefusedError:
        return
    raise AssertionError("advised on what is not known")
