"""Decisions, without any I/O: pure functions of figures to a verdict. The client obeys.

Sources: the retry rules follow the native protocol's account of what each error means for the
request; the window is TCP's additive increase and multiplicative decrease, used for replicas as
dynamic concurrency limits do.
"""

from collections.abc import Sequence
from enum import Enum, auto
from typing import Final, Protocol, TypeVar

from ring.transport import ErrorCode

# A reply counts as slow when it took this many times what a good one takes, and at least the floor.
SLOW_RATIO: Final = 3.0
SLOW_FLOOR_SECONDS: Final = 0.005
# What a node is given after it was out of service; it doubles in about as many good replies.
INITIAL_WINDOW: Final = 4.0
WINDOW_DECREASE: Final = 0.7
WINDOW_DECREASE_PAUSE_SECONDS: Final = 0.01
# Closing a circuit again and again (a node that stutters) takes longer each time, to this bound:
# a node is back in service within a second of being well.
HOLD_MAX_SECONDS: Final = 0.8


class NodeFigures(Protocol):
    """What the choice of a node looks at."""

    is_connected: bool
    circuit_open: bool
    window: float

    @property
    def in_flight(self) -> int:
        """Requests outstanding at the node."""


NodeT = TypeVar("NodeT", bound=NodeFigures)


def choose_node(
    replicas: Sequence[NodeT], others: Sequence[NodeT], tried: Sequence[NodeT], max_in_flight: int
) -> NodeT | None:
    """The node to ask next, or None when every one that could be asked is full.

    In this order: a replica in service with room in its window; a replica in service with room at
    all; any node in service (it will forward), likewise; and when no node is in service, any that
    is at least connected.
    """
    for node in replicas:  # nearly always the first one, so nothing is built before looking at it
        if (
            node.is_connected
            and not node.circuit_open
            and node.in_flight < node.window
            and node not in tried
        ):
            return node
    return _second_best(replicas, others, tried, max_in_flight)


def _second_best(
    replicas: Sequence[NodeT], others: Sequence[NodeT], tried: Sequence[NodeT], max_in_flight: int
) -> NodeT | None:
    untried = [node for node in replicas if node.is_connected and node not in tried]
    for node in untried:
        if not node.circuit_open and node.in_flight < max_in_flight:
            return node
    untried += [node for node in others if node.is_connected and node not in tried]
    in_service = [node for node in untried if not node.circuit_open]
    for node in in_service:
        if node.in_flight < node.window:
            return node
    for node in in_service or untried:
        if node.in_flight < max_in_flight:
            return node
    return None


class Verdict(Enum):
    """What becomes of a request after an attempt failed."""

    NEXT_NODE = auto()
    PREPARE_AGAIN = auto()
    FAIL = auto()


# The node refused before doing anything: asking another is safe whatever the statement.
_NOT_EXECUTED: Final = frozenset({ErrorCode.OVERLOADED, ErrorCode.IS_BOOTSTRAPPING})
# Replicas were too few, too late or failed; another coordinator may see others. A write may have
# reached some replicas, so only what is idempotent may be sent again.
_EXECUTED_PERHAPS: Final = frozenset(
    {
        ErrorCode.SERVER_ERROR,
        ErrorCode.UNAVAILABLE,
        ErrorCode.TRUNCATE_ERROR,
        ErrorCode.WRITE_TIMEOUT,
        ErrorCode.READ_TIMEOUT,
        ErrorCode.READ_FAILURE,
        ErrorCode.WRITE_FAILURE,
    }
)
# The statement, the schema or our rights are wrong: it would fail everywhere.
_OUR_FAULT: Final = frozenset(
    {
        ErrorCode.PROTOCOL_ERROR,
        ErrorCode.FUNCTION_FAILURE,
        ErrorCode.SYNTAX_ERROR,
        ErrorCode.UNAUTHORIZED,
        ErrorCode.INVALID,
        ErrorCode.CONFIG_ERROR,
        ErrorCode.ALREADY_EXISTS,
    }
)
KNOWN_CODES: Final = _NOT_EXECUTED | _EXECUTED_PERHAPS | _OUR_FAULT | {ErrorCode.UNPREPARED}


def decide_after_error(code: int, *, idempotent: bool) -> Verdict:
    """What to do after an ERROR frame.

    Unavailable is checked before anything is executed, save for the paxos rounds of a conditional
    write: so it too asks for idempotence. A code that no version up to 5 knows fails.
    """
    if code == ErrorCode.UNPREPARED:
        return Verdict.PREPARE_AGAIN
    if code in _NOT_EXECUTED or (code in _EXECUTED_PERHAPS and idempotent):
        return Verdict.NEXT_NODE
    return Verdict.FAIL


# The node is unwell or busy, whichever keys are asked: no reason to think that one of them did it.
_NOT_THE_KEYS: Final = _NOT_EXECUTED | {ErrorCode.UNAVAILABLE, ErrorCode.UNPREPARED}


def spoils_batch(code: int) -> bool:
    """Whether one key among many may be the reason why a read of all of them failed."""
    return code not in _NOT_THE_KEYS


def is_our_fault(code: int) -> bool:
    """Whether the error says that the statement itself is wrong, and not that nodes are unwell."""
    return code in _OUR_FAULT or code not in KNOWN_CODES


def slow_after_seconds(own_baseline_seconds: float, others_seconds: Sequence[float]) -> float:
    """From which latency on a reply counts as slow.

    Args:
        own_baseline_seconds: the node's long-term latency.
        others_seconds: the recent latencies of the other replicas that were asked lately. When all
            are slow the machine or the load is, and moving requests about would help nobody.
    """
    reference = min(others_seconds) if others_seconds else own_baseline_seconds
    return max(SLOW_FLOOR_SECONDS, SLOW_RATIO * reference)


def speculative_delay_seconds(
    own_tail_seconds: float | None,
    others_tails_seconds: Sequence[float],
    minimum_seconds: float,
    maximum_seconds: float,
) -> float:
    """How long to wait for a node before a second one is asked: a little above a p99.

    Args:
        own_tail_seconds: the node's own recent p99; None while it is not known.
        others_tails_seconds: those of other nodes. The best of them counts where it is below the
            node's own: a node that is slow or has just started must not teach its callers to wait.
        minimum_seconds: the shortest wait.
        maximum_seconds: the longest one, and that of a ring of which nothing is known yet.
    """
    tails = [*others_tails_seconds] + ([] if own_tail_seconds is None else [own_tail_seconds])
    if not tails:
        return maximum_seconds
    return min(maximum_seconds, max(minimum_seconds, 1.5 * min(tails)))


def hold_seconds(recent_openings: int, probe_seconds: float) -> float:
    """How long a circuit stays open at least, by how often it opened in the last ten seconds."""
    doubled: float = probe_seconds * 2 ** min(recent_openings - 1, 4)
    return min(HOLD_MAX_SECONDS, doubled)
