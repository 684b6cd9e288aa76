from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ring.policies import (
    HOLD_MAX_SECONDS,
    KNOWN_CODES,
    SLOW_FLOOR_SECONDS,
    Verdict,
    choose_node,
    decide_after_error,
    hold_seconds,
    is_our_fault,
    slow_after_seconds,
    speculative_delay_seconds,
    spoils_batch,
)
from ring.transport import ErrorCode

MAX_IN_FLIGHT = 10


@dataclass(eq=False)
class Figures:
    """A node as the choice sees it."""

    name: str
    in_flight: int = 0
    window: float = 10.0
    circuit_open: bool = False
    is_connected: bool = True


def test_choice_when_all_are_well_then_first_replica() -> None:
    """The order of the route is the order of preference."""
    first, second, other = Figures("1"), Figures("2"), Figures("o")
    assert choose_node([first, second], [other], (), MAX_IN_FLIGHT) is first
    assert choose_node([first, second], [other], (first,), MAX_IN_FLIGHT) is second
    assert choose_node([first, second], [other], (first, second), MAX_IN_FLIGHT) is other
    assert choose_node([first], [other], (first, other), MAX_IN_FLIGHT) is None


def test_choice_when_first_is_hot_then_next_in_its_ring() -> None:
    """A replica above its window offloads before it breaks; above all windows, any room counts."""
    hot, calm = Figures("hot", in_flight=4, window=4.0), Figures("calm")
    assert choose_node([hot, calm], [], (), MAX_IN_FLIGHT) is calm
    calm.in_flight, calm.window = 9, 3.0
    assert choose_node([hot, calm], [], (), MAX_IN_FLIGHT) is hot


@pytest.mark.parametrize("flaw", [{"circuit_open": True}, {"is_connected": False}])
def test_choice_when_replicas_are_out_then_another_node_forwards(flaw: dict[str, bool]) -> None:
    """A node in service that holds no replica beats one that is out."""
    replica, other = Figures("replica", **flaw), Figures("other")
    assert choose_node([replica], [other], (), MAX_IN_FLIGHT) is other


def test_choice_when_no_node_is_in_service_then_a_connected_one_and_never_a_lost_one() -> None:
    """The last hope is a node that may answer yet."""
    out, lost = Figures("out", circuit_open=True), Figures("lost", is_connected=False)
    assert choose_node([lost, out], [], (), MAX_IN_FLIGHT) is out
    assert choose_node([lost], [], (), MAX_IN_FLIGHT) is None


def test_choice_when_those_in_service_are_full_then_wait_for_them() -> None:
    """A node out of service is no relief for one that is only busy."""
    full, out = Figures("full", in_flight=MAX_IN_FLIGHT), Figures("out", circuit_open=True)
    assert choose_node([out, full], [], (), MAX_IN_FLIGHT) is None


FIGURES = st.builds(
    Figures,
    st.just("any"),
    st.integers(0, MAX_IN_FLIGHT),
    st.floats(1.0, MAX_IN_FLIGHT),
    st.booleans(),
    st.booleans(),
)


@given(replicas=st.lists(FIGURES, max_size=4), others=st.lists(FIGURES, max_size=3))
def test_choice_when_figures_are_any_then_never_a_full_lost_or_tried_node(
    replicas: list[Figures], others: list[Figures]
) -> None:
    """Asked again and again, it names each node once at the most."""
    tried: tuple[Figures, ...] = ()
    while (node := choose_node(replicas, others, tried, MAX_IN_FLIGHT)) is not None:
        assert node.is_connected
        assert node.in_flight < MAX_IN_FLIGHT
        assert node not in tried
        tried += (node,)
    assert len(tried) <= len(replicas) + len(others)


NOT_EXECUTED = {ErrorCode.OVERLOADED, ErrorCode.IS_BOOTSTRAPPING}
PERHAPS = {
    ErrorCode.SERVER_ERROR,
    ErrorCode.UNAVAILABLE,
    ErrorCode.TRUNCATE_ERROR,
    ErrorCode.WRITE_TIMEOUT,
    ErrorCode.READ_TIMEOUT,
    ErrorCode.READ_FAILURE,
    ErrorCode.WRITE_FAILURE,
}


@pytest.mark.parametrize("code", sorted(KNOWN_CODES | {0x0100, 0x7777}))
@pytest.mark.parametrize("idempotent", [True, False])
def test_retry_when_code_and_idempotence_are_known_then_as_the_protocol_means_it(
    code: int, *, idempotent: bool
) -> None:
    """Sent again only where nothing was done, or where doing it twice is doing it once."""
    verdict = decide_after_error(code, idempotent=idempotent)
    if code == ErrorCode.UNPREPARED:
        assert verdict is Verdict.PREPARE_AGAIN
    elif code in NOT_EXECUTED or (code in PERHAPS and idempotent):
        assert verdict is Verdict.NEXT_NODE
    else:
        assert verdict is Verdict.FAIL
    if verdict is Verdict.FAIL and idempotent:
        assert is_our_fault(code)


def test_codes_when_listed_then_each_has_a_rule() -> None:
    """No error of the protocol falls through to a catch-all."""
    listed = {value for name, value in vars(ErrorCode).items() if name.isupper()}
    assert listed == KNOWN_CODES


def test_batch_when_node_is_busy_then_no_key_is_to_blame() -> None:
    """Only what a key may have caused parts a batch."""
    assert not any(spoils_batch(code) for code in NOT_EXECUTED | {ErrorCode.UNAVAILABLE})
    assert spoils_batch(ErrorCode.READ_FAILURE)
    assert spoils_batch(ErrorCode.READ_TIMEOUT)


@given(
    tail=st.none() | st.floats(0, 100),
    others=st.lists(st.floats(0, 100), max_size=3),
    low=st.floats(0.001, 0.1),
    more=st.floats(0, 1),
)
def test_speculation_when_tail_is_any_then_delay_stays_in_its_bounds(
    tail: float | None, others: list[float], low: float, more: float
) -> None:
    """Never sooner than the minimum, never later than the maximum."""
    assert low <= speculative_delay_seconds(tail, others, low, low + more) <= low + more


def test_speculation_when_a_node_is_slower_than_others_then_their_tail_counts() -> None:
    """A slow node does not teach its callers to wait; a quick one is not held to the slow."""
    assert speculative_delay_seconds(0.1, [0.01, 0.03], 0.001, 1.0) == pytest.approx(0.015)
    assert speculative_delay_seconds(None, [0.02], 0.001, 1.0) == pytest.approx(0.03)
    assert speculative_delay_seconds(0.01, [0.1], 0.001, 1.0) == pytest.approx(0.015)
    assert speculative_delay_seconds(None, [], 0.001, 1.0) == 1.0


def test_slowness_when_all_nodes_are_slow_then_none_is() -> None:
    """Compared with the best of the others; alone, with the node's own past."""
    assert slow_after_seconds(0.001, [0.1, 0.2]) == pytest.approx(0.3)
    assert slow_after_seconds(0.1, []) == pytest.approx(0.3)
    assert slow_after_seconds(0.0001, [0.0001]) == SLOW_FLOOR_SECONDS


def test_hold_when_circuit_opens_again_and_again_then_longer_and_bounded() -> None:
    """Twice as long each time, and never so long that a well node is missed."""
    holds = [hold_seconds(openings, 0.1) for openings in range(1, 10)]
    assert holds[:3] == pytest.approx([0.1, 0.2, 0.4])
    assert max(holds) == HOLD_MAX_SECONDS
